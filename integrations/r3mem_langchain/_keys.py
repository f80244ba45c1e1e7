"""Keys of turns, made of the host's ids of messages and items."""

from __future__ import annotations

from hashlib import blake2b

from r3mem_agents.validation import MAX_KEY_BYTES


def turn_key(name: str) -> str:
    """The name itself, or a hash of one that is empty or too long for a key."""
    if 0 < len(name.encode(errors="surrogatepass")) <= MAX_KEY_BYTES:
        return name
    return digest_of(name)


def digest_of(text: str) -> str:
    """A hash of a text, in hexadecimal digits."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=32).hexdigest()
