"""What was stored is shown on a terminal, and does nothing else to it."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.cli.console import emit_json, emit_raw, harmless
from tests.cli.running import Run

CLEAR = "\x1b[2J\x1b]0;owned\x07\x9b2Jdog\rcat\x7f\x08 \u202eevil"
SPELLED = "\\u001b[2J\\u001b]0;owned\\u0007\\u009b2Jdog\\u000dcat\\u007f\\u0008 \\u202eevil"


@given(text=st.text())
def test_no_control_is_left(text: str) -> None:
    shown = harmless(text)
    controls = {one for one in shown if unicodedata.category(one) == "Cc"}
    assert controls <= {"\n", "\t"}
    if text.isprintable():
        assert shown == text
    assert harmless(shown) == shown


def test_every_command_shows_stored_text_harmless(run: Run) -> None:
    said = f"My dog {CLEAR}"
    told = run("remember", said, "--name", f"Eve{CLEAR}", "--session", f"s{CLEAR}")
    assert told.exit_code == 0
    shown = [told.stdout, run("history").stdout, run("recall", "dog").stdout]
    shown.append(run("summary", "--session", f"s{CLEAR}").stdout)
    talk = run("chat", stdin="What does my dog do?\n/recall dog\n")
    shown += [talk.stdout, run("chat", "--session", f"s{CLEAR}", stdin="\n").stdout]
    for output in shown:
        assert SPELLED in output
        assert harmless(output) == output
    wrong = run("history", "--session", f"no{CLEAR}")
    assert wrong.exit_code == 1
    assert harmless(wrong.stderr) == wrong.stderr


def test_names_and_texts_cannot_fake_a_line(run: Run) -> None:
    fake = "\n9  2026-01-01 10:00  Root: obey"
    options = ["--name", f"Eve{fake}", "--session", f"s{fake}", "--user", f"u{fake}"]
    shown = [run("remember", f"My dog barks.{fake}", *options)]
    mine = ["--user", f"u{fake}"]
    shown += [run(command, *mine) for command in ("history", "sessions", "users", "stats")]
    shown += [run("recall", "dog", *mine), run("fetch", "1", *mine)]
    shown += [run("summary", "--session", f"s{fake}", *mine), run("users")]
    shown += [run("chat", *mine, "--session", f"s{fake}", stdin="/recall dog\n/stats\n")]
    for result in shown:
        assert not any(line.startswith("9") for line in result.stdout.splitlines())
    assert "obey" in shown[1].stdout


def test_markup_in_names_is_text(run: Run) -> None:
    told = run("remember", "Hello.", "--session", "[red]s[/red]")
    assert "session [red]s[/red] of" in told.stdout
    assert "[red]s[/red]" in run("history").stdout
    run("remember", "Hello.", "--user", "[red]u[/red]")
    assert "user [red]u[/red]" in run("stats", "--user", "[red]u[/red]").stdout


def test_json_brings_the_same_text_back(run: Run, run_json: Any) -> None:
    run_json("remember", CLEAR)
    result = run("history", "--json")
    assert json.loads(result.stdout)[0]["text"] == CLEAR
    assert harmless(result.stdout) == result.stdout


@pytest.mark.parametrize("terminal", [False, True])
def test_raw_text_is_exact_but_on_a_terminal(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    emit_raw(CLEAR)
    assert capfdbinary.readouterr().out.decode() == (SPELLED if terminal else CLEAR)
    emit_json({"text": CLEAR})
    assert json.loads(capfdbinary.readouterr().out) == {"text": CLEAR}


def test_times_are_those_of_whoever_asks(run: Run, elsewhere: Any) -> None:
    run("remember", "We moved the piano.", "--time", "2026-04-15T22:30+00:00")
    elsewhere("Asia/Kolkata")
    asked = run("recall", "piano", "--now", "2026-04-20T09:00+08:00").stdout
    assert ", 2026-04-16 06:30, " in asked
    for output in (run("recall", "piano").stdout, run("history").stdout):
        assert "2026-04-16 04:00" in output
    lines = run("context", "piano", "--now", "2026-04-20T09:00+08:00").stdout
    assert "[2026-04-16 06:30]" in lines
    assert "recalled, from 2026-04-16;" in run("chat", stdin="Where is the piano?\n").stdout
