"""Stop words: no turn is found by them."""

from __future__ import annotations

# Lucene's English list, the pronouns, auxiliaries and question words of the NLTK and Snowball
# lists; without "will" and "may", which are names too: their frequency makes them light enough.
STOP_WORDS = frozenset(
    """
    a about after again all also am an and any are as at be because been before being but by can
    could did do does doing down during each few for from further had has have having he her here
    hers him his how i if in into is it its just me more most my no nor not of off on once only or
    other our out over own same shall she should so some such than that the their theirs them then
    there these they this those through to too under until up us very was we were what when where
    which while who whom whose why with would you your yours
    aren't can't couldn't didn't doesn't don't hadn't hasn't haven't he'd he'll he's i'd i'll i'm
    i've isn't it'd it'll it's let's she'd she'll she's shouldn't that's there's they'd they'll
    they're they've wasn't we'd we'll we're we've weren't what's where's who's won't wouldn't
    you'd you'll you're you've
    """.split()  # noqa: SIM905 - a list of 190 literals is 190 lines
)
