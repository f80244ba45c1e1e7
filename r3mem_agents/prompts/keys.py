"""Keys of turns, made of the host's ids of messages and items."""

from __future__ import annotations

from hashlib import blake2b

from r3mem_agents.validation import MAX_KEY_BYTES

NOTE = "note "
"""Prefix that no id of a message has."""


def turn_key(name: str) -> str:
    """The name itself, or a hash of one that is blank or too long for a key."""
    if name.strip() and len(name.encode(errors="surrogatepass")) <= MAX_KEY_BYTES:
        return name
    return digest_of(name)


def note_key(call: str, text: str) -> str:
    """Key of a note that a tool's call makes.

    Some models number their calls anew in each answer, so the id alone does not tell notes apart.
    """
    return turn_key(f"{NOTE}{call} {digest_of(text)}")


def is_note(key: str) -> bool:
    """True of the key of a note, unless its call has an extremely long id."""
    return key.startswith(NOTE)


def digest_of(text: str) -> str:
    """A hash of a text, in hexadecimal digits."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=32).hexdigest()
