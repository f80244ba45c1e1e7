"""The form of a question: whether it is in the first person, and whether it asks about the past."""

from __future__ import annotations

import regex

_FIRST_PERSON = frozenset(
    """
    i i'm i've i'd i'll me my mine myself we us our ours ourselves
    ich mich mir mein meine meinen meinem meiner meines wir uns unser unsere unseren unserem
    je j'ai moi mon mes nous notre nos
    yo mí mis nosotros nosotras nuestro nuestra nuestros nuestras
    io mio mia miei mie noi nostro nostra nostri nostre
    eu meu minha meus minhas nós nosso nossa nossos nossas
    ik mij mijn wij ons onze
    ja mnie mój moja moje moim moich nasz nasza nasze
    я меня мне мной мой моя моё мои моего моей моих мы нас нам наш наша наше наши
    мене мені мій моє мої ми наші
    ben beni benim bana biz bizim
    أنا لي نحن لنا
    मैं मेरा मेरी मेरे मुझे हम हमारा हमारी हमारे
    나 나는 내 내가 나의 저 저는 제 제가 우리 우리는
    tôi mình saya aku kami kita
    """.split()  # noqa: SIM905 - as for stop words
)
_UNSPACED_FIRST = regex.compile("我|咱|私|僕|俺|うち|わたし|ฉัน|ผม|ดิฉัน|เรา")
_WORD = regex.compile(r"[\p{L}\p{M}]+(?:['\u2019][\p{L}\p{M}]+)?")

_PAST = frozenset(
    """
    was were did had before previous previously original originally earlier former formerly initial
    initially first old once past
    früher vorher zuvor damals zuerst ursprünglich war waren hatte hatten
    avant auparavant autrefois ancien ancienne était avait
    antes anteriormente anterior era tenía prima precedente
    раньше прежде был была было были
    """.split()  # noqa: SIM905
)
_UNSPACED_PAST = regex.compile(
    r"以前|之前|原来|曾经|最初|前は|だった|ていた|전에|예전|원래|\buse to\b"
)


def personal(query: str) -> bool:
    """Return whether a question is in the first person, in the most common languages."""
    return _has(query, _FIRST_PERSON, _UNSPACED_FIRST)


def past(query: str) -> bool:
    """Return whether a question asks about the past rather than the present, by its words."""
    return _has(query, _PAST, _UNSPACED_PAST)


def _has(query: str, words: frozenset[str], unspaced: regex.Pattern[str]) -> bool:
    found = (word.replace("\u2019", "'") for word in _WORD.findall(query.casefold()))
    return not words.isdisjoint(found) or bool(unspaced.search(query))
