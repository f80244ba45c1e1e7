"""Words of questions about anything that was said: by somebody, at some time, or at all."""

from __future__ import annotations

from collections.abc import Collection

from r3mem_agents.analysis.dates.foreign import talk_words
from r3mem_agents.analysis.dates.single import WORD

TALK = frozenset(
    """
    happen happened going say says said tell told talk talked speak spoke spoken discuss discussed
    mention mentioned chat conversation remember recall know show give list find get everything
    anything something thing things all message messages turn word write wrote written send sent
    ask asked answer reply please ever last latest recent recently new newest lately far
    myself yourself ourselves history summary summarize summarise recap remind quote
    """.split()  # noqa: SIM905 - as for stop words
)
"""Words by which a question asks for anything that was said."""

THOUGHT = frozenset("think thinks thought thoughts opinion opinions view views feel feels".split())  # noqa: SIM905
"""The same, about a speaker who is named."""

ABOUT_US = frozenset(
    "what who whom whose which where when me my mine myself we us our ours ourselves".split()  # noqa: SIM905
)
"""If a question names nobody and no time, one of these distinguishes a question about anything that
was said from "And then?", "Why not?" and "How are you?"."""

ASKING = TALK.union(
    """
    since till prior early late day days night week weekend month year date onwards backwards
    """.split()  # noqa: SIM905
)
"""The same, at a time."""


def asking_words(languages: Collection[str], *, dated: bool, named: bool) -> frozenset[str]:
    """Return the words that merely ask for anything that was said.

    Args:
        languages: Languages that the question may be in.
        dated: Whether it names a time.
        named: Whether it names a speaker.
    """
    words = (ASKING if dated else TALK) | (THOUGHT if named else frozenset())
    return words | talk_words(languages)


def about_us(query: str) -> bool:
    """Return whether a question has a word that asks about the speakers or what they said."""
    return not ABOUT_US.isdisjoint(WORD.findall(query.casefold()))
