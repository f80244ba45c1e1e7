from __future__ import annotations

from benchmarks.recall.plan import FILL, plan
from tests.benchmarks.recall.talks import TALKS

QUESTIONS = [(user, question) for user, talk in enumerate(TALKS) for question in talk.questions]


def test_a_plan_repeats_with_its_seed() -> None:
    many = [talk.model_copy(update={"questions": talk.questions * 200}) for talk in TALKS]
    first = plan(many, 3)
    assert first == plan(many, 3)
    other = plan(many, 4)
    assert [ask.timed for ask in first] != [ask.timed for ask in other]
    assert [ask.filled for ask in first] != [ask.filled for ask in other]
    assert [ask.question for ask in first] == [ask.question for ask in other]
    assert sum(ask.timed for ask in first) == 200
    assert sum(ask.filled for ask in first) == 200


def test_what_is_asked_of_whom() -> None:
    asks = plan(TALKS, 0)
    assert [(ask.user, ask.question) for ask in asks] == QUESTIONS
    for ask in asks:
        assert ask.elsewhere == (1 - ask.user if ask.question.answerable else None)
        assert ask.filled == ask.question.counted
        assert ask.depth == (FILL if ask.question.counted else 1)
    assert all(ask.elsewhere is None for ask in plan(TALKS[:1], 0))


def test_another_conversation_is_one_of_the_same_source() -> None:
    sources = ["de", "en", "en", "fr", "en"]
    talks = [TALKS[0].model_copy(update={"source": source}) for source in sources]
    asks = [ask for ask in plan(talks, 0) if ask.question.answerable]
    for ask in asks:
        if ask.elsewhere is None:
            assert sources[ask.user] != "en"
        else:
            assert sources[ask.elsewhere] == sources[ask.user] == "en"
            assert ask.elsewhere != ask.user
    assert {ask.elsewhere for ask in asks} == {None, 1, 2, 4}
