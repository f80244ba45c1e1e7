#!/usr/bin/env bash
# Typer 0.29 carries a click of its own and needs the package click no more. A command of Typer's still
# fits into a group of click's, and runs; but the exceptions of the two have no base in common, so each
# side lets the other's through: a missing argument of the mounted command is a traceback and exit code
# 1 instead of a usage message and 2, `typer.Exit(3)` ends with 1, and in an app of Typer's alone
# `click.ClickException`, `click.UsageError` and `click.exceptions.Exit` are tracebacks, while older
# code raises just these. One expects a click command to be a click command, as it was in Typer 0.15.
# Exits with 1 if it is otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
for typer in typer==0.15.4 typer==0.29.2; do
    python3 -m venv --clear "$folder/venv"
    "$folder/venv/bin/pip" install -q --disable-pip-version-check "$typer" click==8.1.8
    "$folder/venv/bin/python" - "$typer" <<'PY' || exit 1
import sys
from importlib.metadata import version

import click
import typer
from click.testing import CliRunner as ClickRunner
from typer.testing import CliRunner as TyperRunner

app = typer.Typer()


@app.command()
def greet(count: int) -> None:
    if count == 3:
        raise typer.Exit(3)
    if count == 4:
        raise click.exceptions.Exit(4)
    if count == 5:
        raise click.UsageError("not five")
    print("hello " * count)


command = typer.main.get_command(app)
group = click.Group("group", commands={"greet": command})
CASES = {"two": ["2"], "no argument": [], "typer.Exit(3)": ["3"], "click's Exit(4)": ["4"], "click.UsageError": ["5"]}
seen = {
    name: (
        ClickRunner().invoke(group, ["greet", *arguments]).exit_code,
        TyperRunner().invoke(app, arguments).exit_code,
    )
    for name, arguments in CASES.items()
}
print(f"typer {version('typer')}, click {version('click')}: isinstance(command, click.Command) is", isinstance(command, click.Command))
for name, (mounted, alone) in seen.items():
    print(f"  {name:18} exit code {mounted} in click's group, {alone} in Typer's app")
as_one = {"two": (0, 0), "no argument": (2, 2), "typer.Exit(3)": (3, 3), "click's Exit(4)": (4, 4), "click.UsageError": (2, 2)}
apart = {"two": (0, 0), "no argument": (1, 2), "typer.Exit(3)": (1, 3), "click's Exit(4)": (4, 1), "click.UsageError": (2, 1)}
sys.exit(seen != (as_one if sys.argv[1] == "typer==0.15.4" else apart))
PY
done
