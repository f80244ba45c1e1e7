"""What goes in and comes out as JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from r3mem_agents.server.expiring import check_spelled

MAX_K = 1000
"""Most turns that a lookup returns; chosen, as all of these."""

MAX_TOKEN_BUDGET = 1_000_000
MAX_QUERY = 100_000
MAX_TEXT = 2_000_000
MAX_TURNS = 1000
MAX_IDS = 10_000

Name = Annotated[str, Field(min_length=1, max_length=1000)]
Ids = Annotated[list[int], Field(max_length=MAX_IDS)]
Names = Annotated[list[Name], Field(max_length=1000)]


Expiry = Annotated[AwareDatetime | timedelta, BeforeValidator(check_spelled)]
"""A time in ISO 8601, or a duration from now."""


class Given(BaseModel):
    """What a client sends; a field that is unknown is an error."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """What a client gets, from values of the package."""

    model_config = ConfigDict(from_attributes=True)


class Error(Told):
    """What is wrong, and what to do."""

    name: str = Field(examples=["NotFoundError"])
    message: str = Field(examples=["no turn 7 in this memory"])


class Errors(Told):
    """An error."""

    error: Error


class Health(Told):
    """The server answers."""

    status: Literal["ok"] = "ok"
    version: str


class Me(Told):
    """Whose memory a request uses."""

    user: str
    agent: str
    users: bool = Field(
        description="Whether requests choose their user, by ?user= and ?agent=: the file has no "
        "tokens."
    )


class User(Told):
    """Who has turns in the file."""

    user: str
    agent: str
    turns: int
    sessions: int


class Session(Told):
    """A session of this memory."""

    name: str
    turns: int
    first: datetime = Field(description="When its first turn was said.")
    last: datetime = Field(description="When its last turn was said.")


class NewTurn(Given):
    """A turn to store."""

    role: str = Field(examples=["user"], description="user, assistant, tool or any other.")
    text: str = Field(max_length=MAX_TEXT, examples=["My dog is called Biscuit."])
    name: Name | None = Field(None, examples=["Alice"], description="The speaker's name.")
    session: Name | None = Field(None, description="default, if left out.")
    time: AwareDatetime | None = Field(None, description="When it was said; now, if left out.")
    metadata: dict[str, Any] | None = None
    key: Name | None = Field(
        None,
        description="Your name for the turn, once in a session: sent again with the same words it "
        "changes nothing, with others it edits the turn. So a request may be repeated.",
    )
    expires: Expiry | None = Field(
        None,
        examples=["P30D"],
        description="When it is gone: a time, or a duration from now; never, if left out.",
    )


class NewTurns(Given):
    """Turns to store, all or none."""

    turns: list[NewTurn] = Field(min_length=1, max_length=MAX_TURNS)


class Change(Given):
    """What is to be different about a turn; what is left out stays as it is."""

    text: str | None = Field(
        None, max_length=MAX_TEXT, description="What it says from now on, in its place and time."
    )
    keep_versions: bool = Field(
        False, description="Keep what it said as a version; else no byte of that is left."
    )
    pinned: bool | None = Field(
        None, description="Whether it comes first in every context, and does not expire."
    )


class Turn(Told):
    """A turn, byte for byte."""

    id: int
    session: str
    role: str
    name: str | None
    place: str | None = Field(
        examples=["notes.pdf, page 3, Heading > Subheading"],
        description="Where it stands, if it is a passage of a document.",
    )
    time: datetime
    text: str
    metadata: dict[str, Any]
    key: str | None
    expires: datetime | None
    pinned: bool


class Turns(Told):
    """Turns, in the order in which they were stored."""

    turns: list[Turn]


class Page(Turns):
    """Some turns of many."""

    next: int | None = Field(
        description="What before= is to be for those that came before, or after= for those after; "
        "null where none did."
    )


class TokenCost(Told):
    """A part of a text, and what it costs."""

    text: str
    bits: float
    inferred: bool = Field(description="Whether it was the model's first prediction.")


class Question(Given):
    """A question, and which turns may answer it."""

    query: str = Field(max_length=MAX_QUERY, examples=["What pet do I have?"])
    sessions: Names | None = Field(None, description="Only turns of these sessions.")
    roles: Names | None = Field(None, description="Only turns of speakers in these roles.")
    where: dict[str, Any] | None = Field(
        None,
        examples=[{"metadata.channel": "mail", "metadata.priority": {"$gte": 3}}],
        description="Only turns that meet all of these conditions on metadata and names.",
    )
    exclude: Ids = Field([], description="Ids of turns to ignore.")
    as_of: AwareDatetime | None = Field(None, description="Only what was known at this time.")
    now: AwareDatetime | None = Field(
        None, description="What dates in the question are relative to; the present, if left out."
    )


class Recall(Question):
    """A question for turns."""

    k: int = Field(5, ge=1, le=MAX_K, description="Maximum number of turns to return.")
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    min_score: float | None = Field(None, ge=0, le=1)
    level: Literal["turn", "session"] = "turn"
    explain: bool = Field(False, description="Say why each was found, or why nothing was.")


class Evidence(Told):
    """The verdict of one level of evidence."""

    log_odds: float = Field(description="Above 0 for the turn, below 0 against it.")
    reasons: list[str]


class Explanation(Told):
    """Why a turn was found."""

    evidence: dict[str, Evidence] = Field(description="By level.")
    said: list[str] = Field(description="Words of the question that the turn has.")
    unsaid: list[str] = Field(description="Words of the question that it does not have.")
    similarity: float | None
    position: int = Field(description="Its place in its session, which begins at 1.")
    session_turns: int
    notes: list[str]
    log_odds: float = Field(description="The sum over all levels, by which turns are ranked.")


class LookupExplanation(Told):
    """How a question was read, and with what outcome."""

    words: list[str]
    speakers: list[str]
    times: list[str]
    sureness: float
    outcome: str


class Recalled(Told):
    """A turn that was found."""

    turn: Turn
    score: float = Field(
        description="0 to 1: how sure it is that the memory holds an answer, or how much less "
        "evidence there is than for the best turn."
    )
    superseded_by: int | None = Field(description="Id of a newer turn that may replace it.")
    explanation: Explanation | None


class Recollections(Told):
    """What was found, best first; nothing where nothing is relevant."""

    recalled: list[Recalled]
    explanation: LookupExplanation | None


class Context(Question):
    """A question for a prompt."""

    token_budget: int = Field(800, ge=1, le=MAX_TOKEN_BUDGET)


class Text(Told):
    """What is relevant, for a prompt: dated lines with their speakers."""

    text: str


class Forget(Given):
    """What to forget: one of the three."""

    turn_ids: Ids | None = None
    session: Name | None = None
    everything: bool = False


class Receipt(Told):
    """What was forgotten, and that no byte of it is left in the file."""

    turns: int
    turn_ids: list[int]
    sessions: list[str] = Field(description="Sessions that lost turns.")
    text_bytes: int
    code_bytes: int
    scrubbed: datetime = Field(description="When no byte of them was left in the file.")
    file_hash: str | None = Field(description="SHA-256 of the database after that.")


class LogEntry(Told):
    """A change of this memory, without any of the words."""

    time: datetime
    user: str
    agent: str
    verb: str = Field(description="remember, edit, forget, pin, unpin, expire or keep_log.")
    turns: int
    turn_ids: list[int]
    door: str | None = Field(description="What it came through; none for turns that expired.")


class Stats(Told):
    """What this memory holds, and what it costs."""

    turns: int
    sessions: int
    tokens: int
    text_bytes: int
    code_bytes: int
    gist_bytes: int
    term_bytes: int
    file_bytes: int = Field(description="Size of the whole file, of all users.")
    bits_per_token: float
    inferred_share: float
    packed_segments: int
    literal_segments: int
