"""``r3mem --install-completion`` and ``--show-completion``."""

from __future__ import annotations

import os
from pathlib import Path

import rich_click as click
from click.shell_completion import get_completion_class

from r3mem_agents.cli.console import emit_raw, harmless_text, out

FILES = {
    "bash": (".bash_completions/r3mem.sh", ".bashrc", ""),
    "zsh": (".zfunc/r3mem.zsh", ".zshrc", "autoload -Uz compinit && compinit; "),
    "fish": (".config/fish/completions/r3mem.fish", None, ""),
}
"""Of each shell the file of the completion, what the shell reads as it starts, if that has to name
the file, and what must have run before; all below the home folder."""


def show(context: click.Context) -> None:
    """Print the completion for the current shell."""
    emit_raw(_source(context, _shell()))


def install(context: click.Context) -> None:
    """Install the completion for the current shell; doing it again changes nothing."""
    shell = _shell()
    name, started, before = FILES[shell]
    file = Path.home() / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_source(context, shell), encoding="utf-8")
    if started is not None:
        line, profile = f"{before}source '{file}'", Path.home() / started
        told = profile.read_text(encoding="utf-8") if profile.exists() else ""
        if line not in told.splitlines():
            profile.write_text(f"{told.rstrip()}\n\n{line}\n".lstrip(), encoding="utf-8")
    out().print(harmless_text(f"{shell} completion is in {file}; it works in the next shell"))


def _shell() -> str:
    shell = Path(os.environ.get("SHELL", "")).name
    if shell not in FILES:
        raise click.UsageError(
            f"completion is for {', '.join(FILES)}; the variable SHELL names {shell or 'none'}"
        )
    return shell


def _source(context: click.Context, shell: str) -> str:
    made = get_completion_class(shell)
    assert made is not None
    return made(context.command, {}, "r3mem", "_R3MEM_COMPLETE").source()
