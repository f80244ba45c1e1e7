"""The progress of a run in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from r3mem_agents.train.run import Figures, Run


def follow(run: Run, console: Console) -> None:
    """Run a training to its end under a progress bar."""
    if run.resume():
        console.print(f"going on from step {run.step:,}, {run.elapsed_s / 60:.0f} minutes")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("training", total=1.0, figures="first steps")
        for report in run.run():
            shown = f"step {report.step:,}  {_words(report.figures)}"
            shown += f"  {report.tokens_per_s:,.0f} tokens/s"
            bar.update(task, completed=run.progress, figures=shown)
            if report.held_out is not None:
                console.print(f"step {report.step:,}, held out: {_words(report.held_out)}")


def _words(figures: Figures) -> str:
    return "  ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures.items())
