"""Why a turn was found, and why at this rank: the evidence of each level in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.confidence import UNRELATED
from r3mem_agents.lookup.features import term_evidence
from r3mem_agents.lookup.ranking import Winner
from r3mem_agents.lookup.scoring import consider
from r3mem_agents.lookup.weights import LEVELS
from r3mem_agents.memory.explanation.said_words import SaidWords
from r3mem_agents.memory.explanation.wording import distance, listed, percent, period
from r3mem_agents.memory.lookups import Lookup
from r3mem_agents.types import Evidence, Explanation

MIN_TOLD = 0.005
"""Lowest log-odds of a feature to mention: two decimals show no less."""

ROLE_REASONS: Mapping[str, str] = {
    "user": "the user speaks",
    "user_personal": "the question is put in the first person, and the user speaks",
    "length": "its length",
    "asks": "it asks something",
    "follows": "it follows a turn that asks something",
}
"""The features of the level ``role``, in words."""


class Explainer:
    """Explains the winners of a lookup.

    Args:
        lookup: The lookup.
        said: Which turns say which words of its question.
    """

    def __init__(self, lookup: Lookup, said: SaidWords) -> None:
        ranking = lookup.ranking
        self._scope = lookup.scope
        self._turns = lookup.scope.turns
        self._question = lookup.asked.question
        self._ranking = ranking
        self._said = said
        self._now = lookup.now
        seen = consider(self._turns, self._question, ranking.similarity, lookup.weights)
        self._features = seen.features
        self._places = {place: row for row, place in enumerate(seen.places.tolist())}
        self._seen, self._weights = seen, lookup.weights
        terms = term_evidence(self._turns, said.postings, self._question)
        self._share = terms.turns / max(terms.mass, 1e-9)

    def explain(self, winner: Winner) -> Explanation:
        """Explain why a turn is among the winners."""
        place = int(np.searchsorted(self._turns.ids, winner.id))
        reasons: Mapping[str, Callable[[int], Iterator[str]]] = {
            "words": self._words,
            "gist": self._gist,
            "neighbours": self._neighbours,
            "session": self._session,
            "speaker": self._speaker,
            "time": self._time,
            "role": self._role,
        }
        # A level without weight, as for turns that are independent entries, has no reasons either.
        silent = {level for level in LEVELS if not self._counts(level, place)}
        said, unsaid = self._said.told(place)
        members = self._members(place)
        return Explanation(
            evidence={
                level: Evidence(
                    log_odds=winner.evidence[level],
                    reasons=() if level in silent else tuple(reasons[level](place)),
                )
                for level in LEVELS
            },
            said=said,
            unsaid=unsaid,
            similarity=self._similarity(place),
            position=int(np.searchsorted(members, place)) + 1,
            session_turns=len(members),
            notes=tuple(self._notes(winner, place)),
        )

    def _used(self, place: int) -> Mapping[str, float]:
        return self._seen.used(place, self._weights)

    def _counts(self, level: str, place: int) -> bool:
        if self._ranking.evidence.listed:
            return level in self._ranking.evidence.parts
        return any(self._used(place)[name] for name in LEVELS[level])

    def _members(self, place: int) -> NDArray[np.intp]:
        return np.flatnonzero(self._turns.session == self._turns.session[place])

    def _similarity(self, place: int) -> float | None:
        alike = float(self._ranking.similarity[place])
        return alike if alike > -1 else None

    def _words(self, place: int) -> Iterator[str]:
        said, unsaid = self._said.told(place)
        if said:
            yield f"said: {listed(said)}"
        if unsaid:
            yield f"not said: {listed(unsaid)}"
        if self._ranking.evidence.listed:
            yield f"asked for is whatever was said; words here: {self._turns.lengths[place]}"
        elif said:
            yield f"{percent(self._share[place])} of what is asked for in words, by weight"

    def _gist(self, place: int) -> Iterator[str]:
        alike = self._similarity(place)
        if alike is None:
            yield "it has no gist of this model to compare"
            return
        yield f"similarity {alike:.2f}, that of unrelated turns is {UNRELATED:.2f} on average"
        if any(worth for name, worth in self._used(place).items() if name.endswith("_unsaid")):
            most = percent(self._share.max(initial=0.0))
            yield f"no turn says more than {most} of it in words: the less, the more it counts"

    def _neighbours(self, place: int) -> Iterator[str]:
        before = int(self._turns.previous[place])
        after = np.flatnonzero(self._turns.previous == place)
        for where, places in (("before", [before] if before >= 0 else []), ("after", after)):
            if said := self._said.of(places):
                yield f"the turn {where} says: {listed(said)}"

    def _session(self, place: int) -> Iterator[str]:
        members = self._members(place)
        if said := self._said.of(members):
            yield f"its session says: {listed(said)}"
        best = members[self._ranking.similarity[members].argmax()]
        if (alike := self._similarity(int(best))) is not None:
            whose = "this turn" if best == place else f"turn {self._turns.ids[best]}"
            yield f"most alike in its session is {whose}: {alike:.2f}"

    def _speaker(self, place: int) -> Iterator[str]:
        named = self._question.named
        if not named:
            return
        who, speaker = listed(self._scope.labels(named)), int(self._turns.speaker[place])
        own = "" if speaker in named else f", {self._scope.speaker(speaker).label} speaks"
        yield f"the question names {who}{own}"

    def _time(self, place: int) -> Iterator[str]:
        when = int(self._turns.time_us[place])
        if spans := self._question.spans:
            nearest = min(spans, key=lambda span: max(span.start - when, when - span.end + 1, 0))
            named = period(nearest, self._now)
            yield f"the question names {named}, this turn is {distance(when, nearest)}"
        newer = not self._question.past and bool(self._used(place)["newer"])
        if newer or self._ranking.evidence.listed:
            older = float((self._turns.time_us < when).mean())
            yield f"newer than {percent(older)} of all turns"

    def _role(self, place: int) -> Iterator[str]:
        for name in LEVELS["role"]:
            worth = self._used(place)[name] * float(self._features[name][self._places[place]])
            if abs(worth) >= MIN_TOLD:
                yield f"{ROLE_REASONS[name]} ({worth:+.2f})"

    def _notes(self, winner: Winner, place: int) -> Iterator[str]:
        ranking = self._ranking
        odds = ranking.evidence.odds
        behind = float(odds[ranking.evidence.relevant].max() - odds[place])
        if behind > 0:
            yield f"{behind:.2f} log-odds behind the best turn"
        else:
            sure = ranking.evidence.sure
            yield f"the best turn: {sure:.2f} sure that the memory holds an answer"
        for older, newer in ranking.superseded.items():
            if newer == place:
                first = "" if self._question.past else ", and ranks before it"
                yield f"supersedes turn {self._turns.ids[older]}{first}"
        if winner.superseded_by is not None:
            yield (
                f"turn {winner.superseded_by}, newer and by the same speaker, supersedes it: this "
                "one may hold no more"
            )
        if winner.score > ranking.evidence.score[place]:
            yield (
                "its score was raised to that of the turn it ranks before; its log-odds are those "
                "from before that"
            )
