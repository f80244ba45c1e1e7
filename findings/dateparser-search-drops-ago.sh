#!/usr/bin/env bash
# dateparser finds dates in a French sentence by their shortest words: of "il y a 3 jours" (three days
# ago) search_dates keeps "a 3 jours", so with PREFER_DATES_FROM "future" the date lies three days
# ahead, though parse reads the whole phrase and says three days ago under every setting. And "Je",
# which is "I", is found as an abbreviation of jeudi: nearly every French sentence has a Thursday.
# English "3 days ago" is found whole, and "I" is no day.
# Exits with 1 if it is otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check dateparser==1.5.0
"$folder/venv/bin/python" - <<'PY'
import sys
from datetime import datetime
from importlib.metadata import version

from dateparser import parse
from dateparser.search import search_dates

NOW = datetime(2023, 11, 27, 12)  # a Monday
SETTINGS = {"RELATIVE_BASE": NOW, "PREFER_DATES_FROM": "future"}


def found(text, language):
    return search_dates(text, languages=[language], settings=SETTINGS) or []


whole = parse("il y a 3 jours", languages=["fr"], settings=SETTINGS)
french = found("Je suis venu il y a 3 jours.", "fr")
english = found("I came 3 days ago.", "en")
print(f"dateparser {version('dateparser')}, asked on {NOW:%Y-%m-%d}")
print(f"parse('il y a 3 jours'): {whole:%Y-%m-%d}")
print("expected of the sentence: one date, 2023-11-24, as of the English one")
for name, dates in (("English", english), ("French", french)):
    print(f"seen, {name}:", ", ".join(f"{words!r} {date:%Y-%m-%d}" for words, date in dates))
days = {words: (date - NOW).days for words, date in french}
wrong = whole.day == 24 and "Je" in days and days.get("a 3 jours", 0) > 0
sys.exit(0 if wrong and [words for words, _ in english] == ["3 days ago"] else 1)
PY
