"""``python -m benchmarks question``: one worked question, with the evidence of each level.

It is put to one of the project's own conversations, with the bundled model. The explanation goes to
``docs/results/question.json``, and its tables into ``docs/recall.md``, between two marks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rich_click as click

from benchmarks.results import identity
from r3mem_agents.cli.console import examples
from r3mem_agents.provenance import write_result

DATA = Path(__file__).parent / "recall" / "sets" / "facts-en.jsonl"
CONVERSATION = "facts-en-marcus"
QUESTION = "When did I give up cigarettes?"
SHOWN = 3

BEGIN = "<!-- what follows is written by `make question` -->"
END = "<!-- to here -->"


@click.command("question", epilog=examples("python -m benchmarks question"))
@click.option(
    "--docs",
    type=click.Path(path_type=Path),
    default=Path("docs"),
    help="Folder of recall.md and results/.",
)
def question(
    docs: Path,
) -> None:
    """Explain the turns that one question finds, and write the explanation into the docs."""
    from benchmarks.recall.readers.files import digests, read
    from r3mem_agents import CompressiveMemory, Turn

    path = docs / "results" / "question.json"
    conversation = next(one for one in read([DATA]).conversations if one.id == CONVERSATION)
    with CompressiveMemory(":memory:") as memory:
        turns = memory.remember_many(
            Turn(role=t.role, text=t.text, name=t.speaker, session=t.session, time=t.time)
            for t in conversation.turns
        )
        hits = memory.recall(QUESTION, SHOWN, now=turns[-1].time, explain=True)
        model = identity(memory.model)
    assert hits.explanation is not None
    names = {turn.id: said.id for turn, said in zip(turns, conversation.turns, strict=True)}
    [gold] = [one.gold for one in conversation.questions if one.question == QUESTION]
    explained = []
    for hit in hits:
        assert hit.explanation is not None
        explained.append(
            {
                "turn": names[hit.turn.id],
                "text": hit.text,
                "answers": names[hit.turn.id] in gold,
                "score": hit.score,
                "log_odds": hit.explanation.log_odds,
                "explanation": asdict(hit.explanation),
            }
        )
    figures = {"turns": len(turns), "lookup": asdict(hits.explanation), "hits": explained}
    config = model | {
        "data": digests([DATA]),
        "conversation": CONVERSATION,
        "question": QUESTION,
        "shown": SHOWN,
    }
    write_result(path, benchmark="question", config=config, figures=figures)
    page = docs / "recall.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "\n".join(["", *lines(figures), "", ""])
    page.write_text(f"{before}{BEGIN}{text}{END}{after}", encoding="utf-8")


def lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """The figures as Markdown: the turns with their levels, and the reasons for the first."""
    lookup, hits = figures["lookup"], figures["hits"]
    levels = [
        level
        for level in hits[0]["explanation"]["evidence"]
        if any(hit["explanation"]["evidence"][level]["log_odds"] for hit in hits)
    ]
    yield f"\n> {QUESTION}\n"
    yield f"Words to search for: {', '.join(lookup['words'])}. {lookup['outcome']}\n"
    yield f"| turn | {' | '.join(levels)} | sum | score |"
    yield "|---|" + "---|" * (len(levels) + 2)
    for hit in hits:
        worth = (hit["explanation"]["evidence"][level]["log_odds"] for level in levels)
        told = " | ".join(f"{one:+.2f}" for one in worth)
        yield f"| {hit['text']} | {told} | **{hit['log_odds']:+.2f}** | {hit['score']:.2f} |"
    for hit in hits[:2]:
        yield f'\nWhy, for "{hit["text"]}":\n\n| level | worth | why |\n|---|---|---|'
        for level in levels:
            one = hit["explanation"]["evidence"][level]
            yield f"| {level} | {one['log_odds']:+.2f} | {'; '.join(one['reasons'])} |"
