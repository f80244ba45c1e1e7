"""What a shell can do to a command: close its streams, fill its disk, speak no UTF-8."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from r3mem_agents.cli import write
from r3mem_agents.cli.console import emit_json
from tests.cli.running import Run


def _shell(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    command = f"{sys.executable} -m r3mem_agents"
    return subprocess.run(
        ["sh", "-c", line.replace("r3mem ", f"{command} ")],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", ["version", "--version", "--help", "version --json"])
def test_a_full_disk_is_one_line(tmp_path: Path, arguments: str) -> None:
    done = _shell(f"r3mem {arguments} > /dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        b"error: the output: the disk is full; free some space and try again"
    ]


@pytest.mark.parametrize("arguments", ["version", "version --json", "history"])
def test_closed_outputs_take_what_is_printed(tmp_path: Path, arguments: str) -> None:
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        done = _shell(f"r3mem {arguments} {closed}", tmp_path)
        assert done.returncode == (1 if arguments == "history" else 0)
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", ["version", "--help", "history --db missing.db"])
def test_a_terminal_without_a_size_is_shown_all(tmp_path: Path, arguments: str) -> None:
    wide = _shell(f"r3mem {arguments}", tmp_path, COLUMNS="80")
    none = _shell(f"r3mem {arguments}", tmp_path, COLUMNS="0")
    assert none.stdout + none.stderr == wide.stdout + wide.stderr != b""


@pytest.mark.parametrize("arguments", ["remember -", "import -"])
def test_a_closed_stdin_is_no_empty_text(tmp_path: Path, arguments: str) -> None:
    done = _shell(f"r3mem {arguments} <&-", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: stdin is closed")
    assert len(done.stderr.splitlines()) == 1
    assert not [*tmp_path.iterdir()]


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    done = _shell("r3mem --help | true", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_installed_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", f"/bin/{shell}")
    (tmp_path / f".{shell}rc").write_text("alias ll='ls -l'\n")
    written = []
    for _ in range(2):
        assert run("--install-completion").exit_code == 0
        written.append({path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()})
    assert written[0] == written[1]
    assert run("--show-completion").stdout in written[0].values()
    assert written[0][tmp_path / f".{shell}rc"].startswith("alias ll='ls -l'\n")
    monkeypatch.setenv("SHELL", "/bin/sh")
    assert run("--show-completion").exit_code == 2


def test_the_shell_is_told_commands_and_options(tmp_path: Path) -> None:
    asked = {"_R3MEM_COMPLETE": "bash_complete", "COMP_CWORD": "1"}
    done = _shell("r3mem ", tmp_path, **asked, COMP_WORDS="r3mem re")
    assert done.stdout.split() == [b"plain,remember", b"plain,recall", b"plain,recompress"]
    asked["COMP_CWORD"] = "2"
    done = _shell("r3mem ", tmp_path, **asked, COMP_WORDS="r3mem recall --ex")
    assert done.stdout.split() == [b"plain,--explain"]


def test_a_terminal_without_unicode_is_shown_all(
    run: Run, tmp_path: Path, checkpoint: Path
) -> None:
    run("remember", "One caf\u00e9 \u2713", "--name", "J\u00fcrgen")
    narrow = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = _shell("r3mem history", tmp_path, **narrow, R3MEM_MODEL=str(checkpoint))
    assert done.returncode == 0
    assert rb"J\xfcrgen: One caf\xe9 \u2713" in done.stdout


def test_paths_may_hold_bytes_that_are_no_text(
    run: Run, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    name = os.fsdecode(b"caf\xe9")
    for refused in (run("remember", "One.", "--db", name), run("backup", name)):
        assert refused.exit_code == 1
        assert not refused.stdout
        assert "error: " in refused.stderr
    assert not [*tmp_path.iterdir()]
    run("remember", "One.")
    assert "no UTF-8 text" in run("backup", name).stderr
    assert run("export", name).exit_code == 0
    assert (tmp_path / name).exists()
    emit_json({"path": name})
    assert json.loads(capfdbinary.readouterr().out) == {"path": name}


class _Interrupted(io.BytesIO):
    """Somebody presses Ctrl-C instead of an answer."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size == 0:  # click asks whether it is bytes
            return b""
        raise KeyboardInterrupt

    read1 = readline = read


def test_ctrl_c_at_a_question_ends_as_anywhere_else(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("remember", "My dog is called Biscuit.")
    monkeypatch.setattr(write, "asks_people", lambda: True)
    assert run("forget", "1", stdin=_Interrupted()).exit_code == 130
    assert "Biscuit" in run("history").stdout
