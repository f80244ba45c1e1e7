"""What each token of a text costs in memory tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model.tokenizer import LEAD
from r3mem_agents.server.rest.shapes import TokenCost

if TYPE_CHECKING:
    from r3mem_agents import ReversibleModel


def token_costs(model: ReversibleModel, text: str) -> list[TokenCost]:
    """Return the parts of a text with what they cost.

    A part is a token, or several that share a character. A text too long for the passes is one
    part: it is stored literally.
    """
    try:
        [explained] = model.explain([text])
    except InvalidInputError:
        [stored] = model.compress([text])
        return [TokenCost(text=text, bits=8 * len(stored.code), inferred=False)]
    each = zip(explained.tokens, explained.bits.tolist(), explained.inferred.tolist(), strict=True)
    return list(_whole_characters(each))


def _whole_characters(each: Iterable[tuple[bytes, float, bool]]) -> Iterator[TokenCost]:
    held, bits, inferred = b"", 0.0, True
    lead = len(LEAD)  # what the tokenizer puts before every text
    for token, cost, guessed in each:
        held, bits, inferred = held + token, bits + cost, inferred and guessed
        try:
            text = held[lead:].decode()
        except UnicodeDecodeError:
            continue
        if text:
            yield TokenCost(text=text, bits=round(bits, 3), inferred=inferred)
            held, bits, inferred, lead = b"", 0.0, True, 0
