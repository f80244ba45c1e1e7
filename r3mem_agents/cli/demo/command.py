"""``r3mem demo``: a real conversation into memory tokens and back, with lookups and a picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import rich_click as click
from click.exceptions import Exit
from rich.console import Console

from r3mem_agents.cli.console import emit_json, examples, out, progress, warn
from r3mem_agents.cli.demo import meetings, picture, run, text
from r3mem_agents.cli.demo.report import report
from r3mem_agents.cli.options import json_option, model_option, require_model
from r3mem_agents.errors import InvalidInputError, MissingExtraError

if TYPE_CHECKING:
    from r3mem_agents import ReversibleModel
    from r3mem_agents.cli.demo.costs import TurnCost

DEFAULT_DEMO_DB = Path("r3mem-demo.db")

WRITTEN_COLUMNS = 80
"""Width of the text that is written: a plain terminal's."""


@click.command(
    "demo",
    epilog=examples(
        "r3mem demo",
        "r3mem demo --db /tmp/meetings.db --json",
        "r3mem demo --out docs/results",
    ),
)
@click.option(
    "--db",
    type=click.Path(path_type=Path),
    default=DEFAULT_DEMO_DB,
    help="Where to put the memory; its picture goes beside it.",
)
@click.option(
    "--turns",
    type=click.IntRange(min=4),
    help="Only the first turns of each meeting, so many in all.",
)
@click.option(
    "--out",
    "out_dir",
    type=click.Path(path_type=Path),
    help="Folder for demo.json, demo.txt and demo.png of this run.",
)
@click.option("--force", is_flag=True, help="Replace a file named by --db, and the picture.")
@model_option
@json_option
def demo(
    db: Path,
    turns: int | None,
    out_dir: Path | None,
    force: bool,
    model: str | None,
    as_json: bool,
) -> None:
    """Remember four real meetings, check every byte, ask questions, draw the memory."""
    if not db.name:
        raise InvalidInputError(f"{db} is a folder; give the path of a file in it")
    loaded = meetings.load(turns)
    reversible = require_model(model)
    picture_path = db.with_suffix(".png") if out_dir is None else out_dir / "demo.png"
    if out_dir is not None:
        out_dir.mkdir(parents=True, exist_ok=True)
    _clear(db, picture_path if out_dir is None else None, force)
    from r3mem_agents import CompressiveMemory
    from r3mem_agents.cli.demo.costs import Scales

    scales = Scales(reversible)
    weighing = cast("ReversibleModel", scales)
    with CompressiveMemory(str(db), user="demo", model=weighing) as memory:
        with progress() as bar:
            task = bar.add_task("compressing the meetings", total=len(loaded.turns))
            written = run.ingest(memory, loaded, lambda n: bar.advance(task, n))
            task = bar.add_task("expanding every turn", total=len(loaded.turns))
            read = run.check(memory, loaded, lambda n: bar.advance(task, n))
            task = bar.add_task("asking questions", total=len(loaded.questions))
            answers = run.ask(memory, loaded, lambda n: bar.advance(task, n))
        stats = memory.stats()
    shown = [answer for answer in answers if answer.question.shown]
    record = report(loaded, written, read, answers, stats)
    record |= {
        "model": reversible.name,
        "database": str(db),
        "picture": _draw(picture_path, reversible, scales.costs(loaded.turns), shown),
    }
    if out_dir is not None:
        _write(out_dir, {"model": reversible.name, "turns_limit": turns}, record)
    if as_json:
        emit_json(record)
    else:
        text.show(out(), record)
    if read.exact != read.turns:
        raise Exit(1)


def _clear(db: Path, beside: Path | None, force: bool) -> None:
    """Remove the database of an earlier run; any other file, or picture, only if told to."""
    if beside == db:
        raise InvalidInputError(f"{db} is where the picture goes; let --db end otherwise than .png")
    for path in filter(None, (db, beside)):
        if path.exists() and db != DEFAULT_DEMO_DB and not force:
            raise InvalidInputError(f"{path} exists; add --force to replace it")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{db}{suffix}").unlink(missing_ok=True)


def _write(folder: Path, config: dict[str, Any], record: dict[str, Any]) -> None:
    """Write the figures, and the text made of them."""
    from r3mem_agents import provenance

    provenance.write_result(folder / "demo.json", benchmark="demo", config=config, figures=record)
    with (folder / "demo.txt").open("w", encoding="utf-8") as file:
        console = Console(file=file, width=WRITTEN_COLUMNS, color_system=None, highlight=False)
        text.show(console, record)


def _draw(
    path: Path, model: ReversibleModel, costs: list[TurnCost], shown: list[run.Answer]
) -> str | None:
    """Draw the picture; ``None`` if matplotlib is missing."""
    try:
        picture.draw(
            path,
            costs,
            shown,
            packed_bits=math.ceil(math.log2(len(model.static_counts))),
            static_bits=_static_bits(model, [cost.turn.text for cost in costs]),
        )
    except MissingExtraError as error:
        warn(f"no picture: {error}")
        return None
    return str(path)


def _static_bits(model: ReversibleModel, texts: list[str]) -> float:
    """Bits per token of an ideal static entropy coder on texts."""
    from r3mem_agents.cli.demo.costs import static_costs

    costs = static_costs(model.static_counts)
    ids = [token for text in texts for token in model.tokenizer.encode(text)]
    return float(costs[ids].mean())
