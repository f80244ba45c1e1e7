"""A folder of documents in a memory: asked with places, and changed.

$ pip install 'r3mem-agents[documents]'
$ python examples/documents.py
"""

from __future__ import annotations

from pathlib import Path

from r3mem_agents import CompressiveMemory
from r3mem_agents.documents import Remembered, remember_files

HOUSE = Path("house")
MANUAL = """\
# Boiler

## Pressure

Keep it between 1 and 2 bar. Below 1 bar, open the grey tap until the needle is green again.

## Winter

If it is away from home for weeks, set it to the snowflake: it then heats to 6 degrees.
"""
PAGE = """\
<html><nav>Home | Imprint</nav><main><h1>Waste</h1><h2>Paper</h2>
<p>The blue bin is emptied every second Thursday.</p>
<h2>Glass</h2><p>The containers stand behind the school.</p></main></html>
"""
QUESTIONS = ["What do I do when the needle is too low?", "When do they collect the blue bin?"]


def ask(memory: CompressiveMemory) -> None:
    """Ask, and print where the answers stand."""
    for question in QUESTIONS:
        [hit] = memory.recall(question, 1)
        print(f"{question}\n  {hit.turn.place}")


def tell(remembered: Remembered) -> None:
    """Print what became of the documents."""
    for name, done in remembered.documents.items():
        print(f"{Path(name).name}: {done.added} new, {done.kept} kept, {done.forgotten} forgotten")


def main() -> None:
    """Remember a folder, ask, change a document, and remember the folder again."""
    HOUSE.mkdir(exist_ok=True)
    (HOUSE / "boiler.md").write_text(MANUAL, encoding="utf-8")
    (HOUSE / "waste.html").write_text(PAGE, encoding="utf-8")
    with CompressiveMemory("documents.db", user="alice") as memory:
        tell(remember_files(memory, HOUSE))
        ask(memory)
        changed = MANUAL.replace("## Pressure", "Serviced in May.\n\n## Pressure")
        (HOUSE / "boiler.md").write_text(changed.replace("6 degrees", "8 degrees"), "utf-8")
        tell(remember_files(memory, HOUSE))
        ask(memory)


if __name__ == "__main__":
    main()
