"""Questions about conversations from training data, to fit the lookup's weights on and to test it.

    python examples/recipes/lookup_questions.py DATA OUT

reads DATA/*.jsonl.zst (docs/training.md) and writes five files in the open format of
docs/recall.md, each with users of several sessions:

meetings    people's questions about meetings; gold are the turns of the span that answers (QMSum)
personas    what somebody said about themselves; gold is the turn that says it again (Persona-Chat)
assistant   templated questions about tasks; gold are the turns that hold the answer (SGD)
articles    people's questions about articles; a turn is a sentence, gold one that answers (SQuAD)
answers     questions to an assistant of long answers; gold is the answer (MedQuAD, Skeptics)

The weights were fitted on the first four; the last one came later, and is for tests.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.dialogues import open_lines

Record = dict[str, Any]

USERS = {"meetings": 12, "personas": 24, "assistant": 24, "articles": 11, "answers": 8}
"""Maximum number of users of a file."""

SESSIONS = {"meetings": 2, "personas": 15, "assistant": 15, "articles": 8, "answers": 10}
"""Sessions of a user."""

QUESTIONS = 40
"""Maximum number of questions about a user's sessions."""

NAMES = {"User 1": "Alice", "User 2": "Bob", "User": "User", "Assistant": "Assistant"}
ARTICLE_TURNS = 20
"""Sentences of a session."""

ANSWERS = 10
"""Answers of a session."""

MIN_WORDS = 300
"""Of a long answer; 64 tokens are a segment."""

ARTICLES_FROM = 0.78
"""Share of the questions after which articles are read."""

LONGEST_GOLD = 30
"""Questions with more gold turns ask for a summary."""


def main(data: Path, out: Path) -> None:
    """Write the five files."""
    sources = {
        "meetings": meetings(data),
        "personas": personas(data),
        "assistant": assistant(data),
        "articles": articles(data),
        "answers": answers(data),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, sessions in sources.items():
        asked = (pair for pair in sessions if pair[1])
        with (out / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            for number in range(USERS[name]):
                group = list(islice(asked, SESSIONS[name]))
                file.write(json.dumps(user(f"{name}-{number}", group)) + "\n")


def user(id_: str, group: Iterable[tuple[Record, list[Record]]]) -> Record:
    """One conversation of several sessions, with its questions."""
    turns: list[Record] = []
    questions: list[Record] = []
    for session, (dialogue, asked) in enumerate(group):
        first = len(turns)
        for turn in dialogue["turns"]:
            speaker = NAMES.get(turn["speaker"], turn["speaker"])
            role = "assistant" if speaker == "Assistant" else "user"
            turns.append(
                {"id": str(len(turns)), "speaker": speaker, "role": role, "text": turn["text"]}
                | {"session": str(session)}
            )
        questions += [
            {"question": one["question"], "gold": [str(first + place) for place in one["gold"]]}
            for one in asked
        ]
    step = max(1, len(questions) // QUESTIONS)
    return {"id": id_, "turns": turns, "questions": questions[::step][:QUESTIONS]}


def meetings(data: Path) -> Iterator[tuple[Record, list[Record]]]:
    """Meetings, and the questions whose spans can be found in them."""
    spans: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for pair in read(data / "qmsum_train_pairs.jsonl.zst"):
        spans[pair["group"]][pair["query"]].update(pair["passage"].split("\n")[1:-1])
    for meeting in read(data / "qmsum_train.jsonl.zst"):
        lines = lines_of(meeting)
        asked = []
        for query, told in spans[meeting["id"]].items():
            gold = [place for place, one in enumerate(lines) if one in told and len(one) > 40]
            if 0 < len(gold) <= LONGEST_GOLD:
                asked.append({"question": query, "gold": gold})
        yield meeting, asked


def personas(data: Path) -> Iterator[tuple[Record, list[Record]]]:
    """Chats, and facts that are the middle one of three turns."""
    facts: dict[str, list[Record]] = defaultdict(list)
    for pair in read(data / "persona_fact_pairs.jsonl.zst"):
        facts[pair["passage"].partition("\n")[0]].append(pair)
    for chat in read(data / "synthetic_persona_chat.jsonl.zst"):
        asked = []
        for pair in [one for line in lines_of(chat) for one in facts.get(line, ())]:
            start = window(chat, pair["passage"])
            if start is not None and pair["passage"].count("\n") == 2:
                speaker, _, fact = pair["query"].partition(": ")
                question = f"{NAMES[speaker]}: {fact}"
                asked.append({"question": question, "gold": [start + 1]})
        yield chat, asked


def assistant(data: Path) -> Iterator[tuple[Record, list[Record]]]:
    """Tasks, and questions about a value that was named in a window of turns."""
    slots = by_group(read(data / "sgd_slot_pairs.jsonl.zst"))
    for dialogue in read(data / "sgd.jsonl.zst"):
        asked = []
        for pair in slots[dialogue["id"]][:3]:
            start = window(dialogue, pair["passage"])
            if start is None:
                continue
            told = dialogue["turns"][start : start + pair["passage"].count("\n") + 1]
            answer = pair["answer"].casefold()
            gold = [start + i for i, turn in enumerate(told) if answer in turn["text"].casefold()]
            if gold:
                asked.append({"question": pair["query"], "gold": gold})
        yield dialogue, asked


def articles(data: Path) -> Iterator[tuple[Record, list[Record]]]:
    """Sentences in the order of their articles, as far as somebody asked about them."""
    pairs = list(read(data / "nqg_squad_sentence_pairs.jsonl.zst"))
    questions: dict[str, list[str]] = defaultdict(list)
    for pair in pairs[int(len(pairs) * ARTICLES_FROM) :]:
        questions[pair["passage"]].append(pair["query"])
    sentences = list(questions)
    for start in range(0, len(sentences), ARTICLE_TURNS):
        some = sentences[start : start + ARTICLE_TURNS]
        turns = [{"speaker": "Reader", "text": sentence} for sentence in some]
        asked = [
            {"question": question, "gold": [place]}
            for place, sentence in enumerate(some)
            for question in questions[sentence]
        ]
        yield {"turns": turns}, asked


def answers(data: Path) -> Iterator[tuple[Record, list[Record]]]:
    """Long answers about one thing after the other, about health and about doubtful claims."""
    sources = [
        [pair for pair in read(data / name) if len(pair["passage"].split()) >= MIN_WORDS]
        for name in ("medquad_pairs.jsonl.zst", "skeptics_se_pairs.jsonl.zst")
    ]
    for start in range(0, min(map(len, sources)), ANSWERS):
        for pairs in sources:
            some = pairs[start : start + ANSWERS]
            turns = [{"speaker": "Assistant", "text": pair["passage"]} for pair in some]
            asked = [{"question": one["query"], "gold": [i]} for i, one in enumerate(some)]
            yield {"turns": turns}, asked


def window(dialogue: Record, passage: str) -> int | None:
    """Place of the first turn of a passage in its dialogue."""
    lines = lines_of(dialogue)
    wanted = passage.split("\n")
    places = range(len(lines) - len(wanted) + 1)
    return next((i for i in places if lines[i : i + len(wanted)] == wanted), None)


def lines_of(dialogue: Record) -> list[str]:
    """Turns as the passages of pairs have them."""
    return [f"{turn['speaker']}: {turn['text']}" for turn in dialogue["turns"]]


def by_group(pairs: Iterable[Record]) -> defaultdict[str, list[Record]]:
    """Pairs by the document they come from."""
    groups: defaultdict[str, list[Record]] = defaultdict(list)
    for pair in pairs:
        groups[pair["group"]].append(pair)
    return groups


def read(path: Path) -> Iterator[Record]:
    """Records of a file."""
    with open_lines(path) as lines:
        for line in lines:
            yield json.loads(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
