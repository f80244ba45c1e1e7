"""Pages with their tables, figures and outputs as the results have them."""

from __future__ import annotations

import re

from docs.tables.compare import builds, peers
from docs.tables.documents import document_costs, document_lookups, document_sets
from docs.tables.latent import (
    latent_conversations,
    latent_passages,
    latent_reading,
    latent_training,
)
from docs.tables.load import load
from docs.tables.recall import (
    ablation,
    added,
    costs,
    headline,
    languages,
    lookups,
    meetings,
    rivals,
    sets,
    silence,
)
from docs.tables.results import DOCS, figures, megabytes
from docs.tables.size_and_speed import codec, measured, passages, scale, speed

PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]

TABLE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- /table -->)", re.DOTALL)
FIGURE = re.compile(r"(<!-- figure: (\S+) (\S+) -->).*?(<!-- /figure -->)", re.DOTALL)
OUTPUT = re.compile(r"(<!-- output: (\S+) -->\n).*?(<!-- /output -->)", re.DOTALL)

TABLES = {
    one.__name__: one
    for one in (
        headline,
        codec,
        passages,
        speed,
        scale,
        load,
        builds,
        peers,
        lookups,
        costs,
        meetings,
        sets,
        languages,
        rivals,
        silence,
        ablation,
        added,
        document_sets,
        document_lookups,
        document_costs,
        measured,
        latent_reading,
        latent_passages,
        latent_conversations,
        latent_training,
    )
}


def written(page: str) -> str:
    """A page with its tables and figures as the results have them."""
    page = TABLE.sub(lambda found: found[1] + table(found[2]) + found[3], page)
    page = OUTPUT.sub(lambda found: found[1] + output(found[2]) + found[3], page)
    return FIGURE.sub(lambda found: found[1] + figure(found[2], found[3]) + found[4], page)


def table(name: str) -> str:
    """One table as Markdown."""
    head, *body = [list(cells) for cells in TABLES[name]()]
    lines = [head, ["---"] * len(head), *body]
    rows = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    return f"\n{rows}\n"


def figure(path: str, form: str) -> str:
    """One figure as text."""
    result, *keys = path.split("/")
    value = figures(result)
    for key in keys:
        value = value[key]
    return megabytes(value, 1) if form == "MB" else f"{value:{form}}"


def output(path: str) -> str:
    """The text of a file as a block."""
    lines = (DOCS / path).read_text(encoding="utf-8").strip("\n").splitlines()
    return "\n".join(["", "```text", *map(str.rstrip, lines), "```", "", ""])
