"""The values that go in and come out of a memory: plain, frozen, without torch.

A ``repr`` has no word of what was said or asked, nor a name, key or metadata: it may go into a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from r3mem_agents import passages

IN_MEMORY = ":memory:"
"""The location of a memory without a file, which is gone once it is closed."""


DEFAULT_MODEL = "r3mem-base-1"
"""The bundled model that new files are written with. A model has its version in its name, and keeps
its name and its weights for ever: files that it wrote are read by them."""

NOBODY = "default"
"""The user of a memory that was opened without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of a conversation.

    Attributes:
        role: The speaker in the protocol's sense: ``user``, ``assistant``, ``tool`` ...
        text: The words; any Unicode text, kept byte for byte.
        name: The speaker's name, if there is one.
        session: The session it belongs to; ``None`` means the memory's current session.
        time: The time of speaking, with a time zone; ``None`` means the time of writing.
        metadata: Anything that JSON can hold.
        key: The caller's name for the turn, a message's id for example. A session holds a key
            once: writing it again with the same role, name, text and metadata changes nothing but
            the expiry, with others it edits the turn.
        expires: When it is gone: a time with a time zone, or how long after it is written; ``None``
            means never. From that moment no verb finds, lists or counts it, and its bytes leave the
            file when that is next opened or written to.
    """

    role: str
    text: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    session: str | None = None
    time: datetime | None = None
    metadata: Mapping[str, Any] | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    expires: datetime | timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTurn(Turn):
    """A turn as a memory holds it.

    Attributes:
        session: The session it belongs to.
        time: The time of speaking, with a time zone.
        metadata: The JSON stored with it; empty if there is none.
        expires: When it is gone, in UTC; ``None`` means never.
        id: Given by the memory, never twice, and ascending; what ``forget(turn_ids=...)`` takes.
        pinned: Whether it is pinned: first in every ``context``, and not gone when it expires.
    """

    session: str
    time: datetime
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    expires: datetime | None = None
    id: int
    pinned: bool = False

    @property
    def place(self) -> str | None:
        """Where a passage of a document stands: ``notes.pdf, page 3, Heading > Subheading``.

        ``None`` of what is no passage.
        """
        return passages.place(self.role, self.session, self.metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The verdict of one level of evidence on a turn.

    Attributes:
        log_odds: Its weight: above 0 for the turn, below 0 against it.
        reasons: The grounds, in plain words.
    """

    log_odds: float
    reasons: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a lookup brought a turn back, and why at this rank; it prints as one line per level.

    Attributes:
        evidence: By level: ``words``, ``gist``, ``neighbours``, ``session``, ``speaker``, ``time``
            and ``role``. Turns are ranked by the sum of their log-odds.
        said: Words of the question that the turn has, in the form in which they are searched for.
        unsaid: Words of the question that it does not have.
        similarity: Similarity of the turn's gist to the question, -1 to 1; ``None`` without a gist.
        position: Its place in its session, which begins at 1.
        session_turns: Number of turns in its session.
        notes: Anything else that decided its score and rank.
    """

    evidence: Mapping[str, Evidence]
    said: tuple[str, ...] = field(repr=False)
    unsaid: tuple[str, ...] = field(repr=False)
    similarity: float | None
    position: int
    session_turns: int
    notes: tuple[str, ...] = field(repr=False)

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
        place = f"turn {self.position} of {self.session_turns} in its session"
        return "\n".join([*levels, f"sum {self.log_odds:+.2f}", *self.notes, place])


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupExplanation:
    """A lookup's reading of a question and its outcome, also where nothing was found.

    Attributes:
        words: The words that are searched for, in the form in which they are; all others of the
            question are too common to find anything by.
        speakers: Speakers that it names.
        times: Times that it names, as dates.
        sureness: Confidence that the memory holds an answer, 0 to 1; the best turn's score.
        outcome: In plain words, what was found or why nothing was.
    """

    words: tuple[str, ...] = field(default=(), repr=False)
    speakers: tuple[str, ...] = field(default=(), repr=False)
    times: tuple[str, ...] = field(default=(), repr=False)
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
            what this turn says may no longer hold.
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
    """The hits of a lookup, best first: a list, with an explanation where it was asked for.

    Attributes:
        explanation: The reading of the question, and its outcome.
    """

    def __init__(
        self, found: Iterable[Recollection] = (), explanation: LookupExplanation | None = None
    ) -> None:
        super().__init__(found)
        self.explanation = explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What ``forget`` removed: numbers and names of sessions, but no word of a turn.

    Attributes:
        turns: Number of turns.
        turn_ids: Their ids; no later turn gets one of them.
        sessions: Names of the sessions that lost turns.
        text_bytes: UTF-8 bytes of text that they held.
        code_bytes: Bytes of memory tokens that brought the text back.
        scrubbed: When no byte of them was left in the file.
        file_hash: SHA-256 of the database after that, in hexadecimal: that of its file once it is
            closed, until something is written to it again. ``None`` without a file, or where
            SQLite is older than 3.36.
    """

    turns: int
    turn_ids: tuple[int, ...]
    sessions: tuple[str, ...] = field(repr=False)
    text_bytes: int
    code_bytes: int
    scrubbed: datetime
    file_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A change of a memory, as a log keeps it: without any of the words.

    Attributes:
        time: When it was made, in UTC.
        user: Whose memory was changed.
        agent: Which agent's memory.
        verb: ``remember``, ``edit``, ``forget``, ``pin``, ``unpin`` or ``expire``; ``keep_log`` for
            the beginning of the log.
        turns: Number of turns that were changed.
        turn_ids: Their ids.
        door: What the change came through, as the memory was opened with it: ``python``, ``cli``,
            ``rest``, ``mcp`` or another name; ``None`` for turns that expired.
    """

    time: datetime
    user: str
    agent: str
    verb: str
    turns: int
    turn_ids: tuple[int, ...]
    door: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryStats:
    """Counts and sizes of a memory.

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
class SessionStats:
    """A session, without its words.

    Attributes:
        session: Its name.
        turns: Number of turns.
        first: When the first of them was said.
        last: When the last of them was said.
    """

    session: str
    turns: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UserStats:
    """Counts of one user with one agent in a file.

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
        id: Its id; what ``forget(turn_ids=...)`` takes. Of an earlier text that of its turn.
        user: The user; ``None`` if the name cannot be read any more, as with the following.
        agent: The agent.
        session: Its session.
        time: The time of speaking.
        reason: The kind of damage.
    """

    id: int
    user: str | None
    agent: str | None
    session: str | None
    time: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recompression:
    """The result of compressing a file's turns anew.

    Attributes:
        turns: Number of turns of the file, of all users.
        recompressed: Number of turns that were another model's and are compressed anew.
        damaged: Turns that could not be read, and are as they were.
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
    """The result of checking a whole file.

    Attributes:
        turns: Number of turns that were read, damaged ones included.
        damaged: The damaged turns.
        problems: Anything else that is wrong with the file, one sentence each.
    """

    turns: int
    damaged: tuple[DamagedTurn, ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True if nothing is wrong."""
        return not self.damaged and not self.problems
