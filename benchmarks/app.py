"""The commands of ``python -m benchmarks``."""

from __future__ import annotations

import rich_click as click

from benchmarks.codec.command import codec
from benchmarks.compare.command import compare
from benchmarks.documents.command import documents
from benchmarks.latent.command import latent, latent_questions
from benchmarks.layout import layout
from benchmarks.load.command import load
from benchmarks.passages.command import passages
from benchmarks.question import question
from benchmarks.recall.command import recall
from benchmarks.scale.command import scale
from benchmarks.speed.command import speed
from r3mem_agents.cli.group import CONTEXT, ErrorGroup


@click.group("benchmarks", cls=ErrorGroup, context_settings=CONTEXT)
def app() -> None:
    """Measure, print the figures beside the peers', and write them as JSON."""


for command in (
    codec, speed, recall, documents, scale, load, compare, latent, latent_questions, passages,
    question, layout,
):  # fmt: skip
    app.add_command(command)
