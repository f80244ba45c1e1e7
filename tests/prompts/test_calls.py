"""Tool calls with their results, whatever a window holds of them."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.prompts import whole_calls


class Said(NamedTuple):
    role: str
    calls: tuple[str | None, ...] = ()
    answers: str | None = None


IDS = st.sampled_from(["1", "2", "3", None])
SAID = st.one_of(
    st.builds(Said, st.just("user")),
    st.builds(Said, st.just("assistant"), st.lists(IDS, max_size=3, unique=True).map(tuple)),
    st.builds(Said, st.just("tool"), st.just(()), IDS),
)


def whole(messages: list[Said]) -> list[Said]:
    return whole_calls(
        messages,
        role=lambda said: said.role,
        calls=lambda said: said.calls,
        answered=lambda said: said.answers,
    )


@given(messages=st.lists(SAID, max_size=12))
def test_what_is_kept_is_what_providers_take(messages: list[Said]) -> None:
    kept = whole(messages)
    rest = iter(messages)
    assert all(said in rest for said in kept), "in order, and nothing else"
    assert whole(kept) == kept
    for place, said in enumerate(kept):
        results = []
        for after in kept[place + 1 :]:
            if after.role != "tool":
                break
            results.append(after.answers)
        if said.calls:
            assert len(results) == len(said.calls)
            named = {id_ for id_ in said.calls if id_ is not None}
            assert None in said.calls or {id_ for id_ in results if id_ is not None} <= named
        elif said.role != "tool":
            assert set(results) <= {None}
    assert [said for said in kept if said.role != "tool" and not said.calls] == [
        said for said in messages if said.role != "tool" and not said.calls
    ]


@given(st.permutations(["1", "2", "3"]))
def test_results_come_in_any_order(order: list[str]) -> None:
    talk = [Said("user"), Said("assistant", ("1", "2", "3"))]
    talk += [Said("tool", (), id_) for id_ in order]
    assert whole(talk) == talk
    assert whole(talk[:-1]) == talk[:1]
