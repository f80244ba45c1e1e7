"""By what the host's names of messages and items are known to a memory."""

from __future__ import annotations

from hashlib import blake2b

MAX_KEY_BYTES = 255
"""Of a turn's key, as ``CompressiveMemory.remember`` has it."""


def turn_key(name: str) -> str:
    """The name itself, or a hash of one that is empty or too long for a key."""
    if 0 < len(name.encode(errors="surrogatepass")) <= MAX_KEY_BYTES:
        return name
    return digest_of(name)


def digest_of(text: str) -> str:
    """A hash of a text, in hexadecimal digits."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=32).hexdigest()
