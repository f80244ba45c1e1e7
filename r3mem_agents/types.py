"""The values that go in and come out of a memory: plain, frozen, without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

IN_MEMORY = ":memory:"
"""Where a memory is that has no file; it is gone once it is closed."""


DEFAULT_MODEL = "r3mem-base-1"
"""The bundled model that new files are written with. A model has its version in its name, and keeps
its name and its weights for ever: files that it wrote are read by them."""

NOBODY = "default"
"""The user of a memory that was opened without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of a conversation.

    Attributes:
        role: Who speaks in the protocol's sense: ``user``, ``assistant``, ``tool`` ...
        text: What was said; any Unicode text, kept byte for byte.
        name: The speaker's name, if there is one.
        session: The session it belongs to; ``None`` means the memory's current session.
        time: When it was said, with a time zone; ``None`` means now, at write time.
        metadata: Anything that JSON can hold.
        key: By what the caller knows the turn, a message's id for example. A session holds a key
            once: writing it again with the same role, name, text and metadata changes nothing, with
            others it edits the turn.
    """

    role: str
    text: str
    name: str | None = None
    session: str | None = None
    time: datetime | None = None
    metadata: Mapping[str, Any] | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTurn(Turn):
    """A turn as a memory holds it.

    Attributes:
        session: The session it belongs to.
        time: When it was said, with a time zone.
        metadata: What was stored beside it; empty if that was nothing.
        id: Given by the memory, never twice, and ascending; what ``forget(turn_ids=...)`` takes.
    """

    session: str
    time: datetime
    metadata: Mapping[str, Any] = field(default_factory=dict)
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one level of evidence says of a turn.

    Attributes:
        log_odds: What it is worth: above 0 for the turn, below against it.
        reasons: Why, in plain words.
    """

    log_odds: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a lookup brought a turn back, and why in this place; printed, it is a line a level.

    Attributes:
        evidence: By level: ``words``, ``gist``, ``neighbours``, ``session``, ``speaker``, ``time``
            and ``role``. Turns are ranked by the sum of their log-odds.
        said: The question's words that the turn says, in the form in which they are searched for.
        unsaid: Those that it does not say.
        likeness: How like the turn's gist is to the question, from -1 to 1; ``None`` without one.
        notes: What else decided its score and place.
    """

    evidence: Mapping[str, Evidence]
    said: tuple[str, ...]
    unsaid: tuple[str, ...]
    likeness: float | None
    notes: tuple[str, ...]

    @property
    def log_odds(self) -> float:
        """The sum over all levels."""
        return sum(one.log_odds for one in self.evidence.values())

    def __str__(self) -> str:
        levels = [
            f"{level} {one.log_odds:+.2f}: {'; '.join(one.reasons)}".rstrip(": ")
            for level, one in self.evidence.items()
            if one.log_odds or one.reasons
        ]
        return "\n".join([*levels, f"sum {self.log_odds:+.2f}", *self.notes])


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupExplanation:
    """How a question was read and what came of it, also where nothing was found.

    Attributes:
        words: The words by which turns are searched, in the form in which they are; all others of
            the question are too common to find anything by.
        speakers: Speakers that it names.
        times: Times that it names, as dates.
        sureness: How sure it is that the memory holds an answer, 0 to 1; the best turn's score.
        outcome: What was found, or why nothing was, in plain words.
    """

    words: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    sureness: float = 0.0
    outcome: str

    def __str__(self) -> str:
        read = {"words": self.words, "speakers": self.speakers, "times": self.times}
        lines = [f"{what}: {', '.join(those)}" for what, those in read.items() if those]
        return "\n".join([*lines, self.outcome])


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """A turn that a lookup brought back.

    Attributes:
        turn: The turn, its text byte for byte.
        score: From 0 to 1. That of the best turn says how sure it is that the memory holds an
            answer, by the question's weightiest terms and by the gist; that of the others, how
            much less evidence there is for them. Scores of different questions can be compared.
        superseded_by: Id of a newer turn by the same speaker that supersedes it, if one was found:
            what this turn says may hold no more.
        explanation: Why it was found, where that was asked for.
    """

    turn: StoredTurn
    score: float
    superseded_by: int | None = None
    explanation: Explanation | None = None

    @property
    def text(self) -> str:
        """The turn's text, byte for byte."""
        return self.turn.text


class Recollections(list[Recollection]):
    """What a lookup brought back, best first: a list, and an explanation where it was asked for.

    Attributes:
        explanation: How the question was read, and what came of it.
    """

    def __init__(
        self, found: Iterable[Recollection] = (), explanation: LookupExplanation | None = None
    ) -> None:
        super().__init__(found)
        self.explanation = explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryStats:
    """What a memory holds, and what it costs.

    Attributes:
        turns: Number of turns.
        sessions: Number of sessions.
        tokens: Tokens in those turns, counted by the model's own tokenizer.
        text_bytes: UTF-8 bytes of text that went in.
        code_bytes: Bytes of memory tokens that bring the text back (hash and framing included).
        gist_bytes: Bytes of gists.
        term_bytes: Bytes of keyed hashes of terms, and of what says which turns have them.
        file_bytes: Size of the whole database, its write-ahead log included; 0 if it has none.
        bits_per_token: ``8 * code_bytes / tokens``; 0.0 when empty.
        inferred_share: Share of tokens that were the model's first prediction.
        packed_segments: Segments that fell back to the static coder.
        literal_segments: Segments that fell back to literal bytes.
    """

    turns: int
    sessions: int
    tokens: int
    text_bytes: int
    code_bytes: int
    gist_bytes: int
    term_bytes: int
    file_bytes: int
    bits_per_token: float
    inferred_share: float
    packed_segments: int
    literal_segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserStats:
    """What a file holds of a user with an agent.

    Attributes:
        user: The user.
        agent: The agent.
        turns: Number of turns.
        sessions: Number of sessions.
    """

    user: str
    agent: str
    turns: int
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedTurn:
    """A turn that a check found damaged.

    Attributes:
        id: Its id; what ``forget(turn_ids=...)`` takes.
        user: Whose it is; ``None`` if that cannot be read any more, as with the following.
        agent: Which agent's.
        session: Its session.
        time: When it was said.
        reason: What is wrong with it.
    """

    id: int
    user: str | None
    agent: str | None
    session: str | None
    time: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recompression:
    """What became of a file whose turns were compressed anew.

    Attributes:
        turns: Number of turns of the file, of all users.
        recompressed: How many were of another model, and are compressed anew.
        damaged: Those that could not be read, and are as they were.
        model_before: Name of the model that the file belonged to; ``None`` for a file without.
        model: Name of the model that it belongs to now.
    """

    turns: int
    recompressed: int
    damaged: tuple[DamagedTurn, ...]
    model_before: str | None
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a check of a whole file found.

    Attributes:
        turns: Number of turns that were read, whole ones and damaged ones.
        damaged: The damaged ones.
        problems: What else is wrong with the file, a sentence each.
    """

    turns: int
    damaged: tuple[DamagedTurn, ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.damaged and not self.problems
