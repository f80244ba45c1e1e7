from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from r3mem_agents.cli import transfer
from r3mem_agents.errors import StoreUnavailableError
from tests.cli.running import Run

TEXTS = [
    "",
    "plain",
    "line\nfeed and carriage\r\nreturn",
    "separators \u2028 \u2029 \x85 \x0b \x0c and NUL \x00 end",
    "emoji 👩‍👩‍👧 and 中文, العربية, é (composed) and e\u0301",
    '"quotes", \\backslashes\\ and {"json": true}',
    "x" * 3000,
]

DEEP = b"[" * 200 + b"]" * 200


@pytest.fixture
def lines() -> bytes:
    records = [
        {
            "role": "user" if place % 2 else "assistant",
            "text": text,
            "name": None if place == 1 else f"Näme {place}",
            "session": f"s{place % 3}",
            "time": f"2026-01-{place + 1:02d}T10:00:00.123456+02:00",
            "metadata": None if place == 2 else {"place": place, "nested": {"a": [1, None]}},
        }
        for place, text in enumerate(TEXTS)
    ]
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def _records(data: bytes) -> list[dict[str, Any]]:
    """Records without ids; times compare as moments."""
    records = [json.loads(line) for line in data.split(b"\n") if line]
    return [{key: value for key, value in record.items() if key != "id"} for record in records]


def test_export_forget_import_brings_everything_back(
    run: Run, run_json: Any, tmp_path: Path, lines: bytes
) -> None:
    (tmp_path / "in.jsonl").write_bytes(lines)
    assert run_json("import", "in.jsonl")["imported"] == len(TEXTS)
    assert run("export", "out.jsonl").exit_code == 0
    exported = (tmp_path / "out.jsonl").read_bytes()
    assert [record["text"] for record in _records(exported)] == TEXTS

    assert run("forget", "--everything", "--yes").exit_code == 0
    assert run_json("history") == []
    assert run("import", "out.jsonl").exit_code == 0
    again = run("export")
    assert again.exit_code == 0
    assert _records(again.stdout_bytes) == _records(exported)


def test_every_field_survives(run: Run, tmp_path: Path, lines: bytes) -> None:
    run("import", "-", stdin=lines)
    exported = _records(run("export").stdout_bytes)
    for told, read in zip(_records(lines), exported, strict=True):
        assert read["role"] == told["role"]
        assert read["name"] == told["name"]
        assert read["session"] == told["session"]
        assert read["metadata"] == told["metadata"]
        assert _moment(read["time"]) == _moment(told["time"])


def _moment(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def test_one_session_can_be_exported(run: Run, lines: bytes) -> None:
    run("import", "-", stdin=lines)
    records = _records(run("export", "--session", "s1").stdout_bytes)
    assert [record["text"] for record in records] == TEXTS[1::3]


def test_turns_without_a_session_get_the_named_one(run: Run, run_json: Any) -> None:
    run("import", "-", "--session", "mail", stdin=b'{"role": "user", "text": "hi"}\n\n')
    assert [turn["session"] for turn in run_json("history")] == ["mail"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"not json", "line 2"),
        (b"[1, 2]", "object"),
        (b'{"role": "user"}', "text is missing"),
        (b'{"text": "x"}', "role is missing"),
        (b'{"role": "", "text": "x"}', "role"),
        (b'{"role": "user", "text": 5}', "text must be a str"),
        (b'{"role": "user", "text": "\\ud800"}', "surrogate"),
        (b'{"role": "user", "text": "x", "session": ""}', "session"),
        (b'{"role": "user", "text": "x", "time": "soon"}', "soon"),
        (b'{"role": "user", "text": "x", "time": 5}', "time must be a str"),
        (b'{"role": "user", "text": "x", "key": ""}', "key is empty"),
        (b'{"role": "user", "text": "x", "metadata": [1]}', "metadata"),
        (b'{"role": "user", "text": "x", "metadata": {"a": NaN}}', "NaN"),
        (b'{"role": "user", "text": "x", "metadata": {"a": "\\ud800"}}', "surrogate"),
        (b'{"role": "user", "text": "x", "metadata": {"a": %s}}' % DEEP, "deeper than 100"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"role": "user", "text": "x", "tekst": "y"}', "tekst"),
        (b"\xff\xfe", "line 2: not UTF-8 text"),
        (b'{"role": "user",', "line 2, column 17: not JSON"),
        (b'{"role": "user", "text": "x"} {}', "one whole JSON object"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_stored(
    run: Run, tmp_path: Path, bad: bytes, reason: str
) -> None:
    (tmp_path / "in.jsonl").write_bytes(b'{"role": "user", "text": "good"}\n' + bad + b"\n")
    result = run("import", "in.jsonl")
    assert result.exit_code == 1
    assert "line 2" in result.stderr
    assert reason in result.stderr
    assert not (tmp_path / "r3mem.db").exists()


@pytest.mark.parametrize("db", ["r3mem.db", "sqlite:///r3mem.db", "linked.db", "other.db"])
def test_export_never_overwrites_a_memory(run: Run, run_json: Any, tmp_path: Path, db: str) -> None:
    run_json("remember", "One.")
    (tmp_path / "linked.db").hardlink_to(tmp_path / "r3mem.db")
    run_json("remember", "Two.", "--db", "other.db")
    refused = run("export", "r3mem.db", "--db", db)
    assert refused.exit_code == 1
    assert "r3mem.db is a database" in refused.stderr
    assert [turn["text"] for turn in run_json("history")] == ["One."]


def test_an_export_that_fails_leaves_the_one_before(
    run: Run, run_json: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("One.", "Two."):
        run_json("remember", text)
    (tmp_path / "out.jsonl").write_text("the one before")
    records = iter([{"text": "One."}])

    def record(_: Any) -> Any:
        try:
            return next(records)
        except StopIteration:
            raise OSError(errno.ENOSPC, "No space left on device") from None

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "turn_record", record)
        failed = run("export", "out.jsonl")
    assert failed.exit_code == 1
    assert "out.jsonl: the disk is full" in failed.stderr
    assert (tmp_path / "out.jsonl").read_text() == "the one before"
    (tmp_path / "out.jsonl").chmod(0o640)
    (tmp_path / "link").symlink_to("out.jsonl")
    assert run("export", "link").exit_code == 0
    assert (tmp_path / "link").is_symlink()
    exported = (tmp_path / "out.jsonl").read_bytes()
    assert [one["text"] for one in _records(exported)] == ["One.", "Two."]
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"r3mem.db", "out.jsonl", "link"}


def test_a_pipe_is_read_and_written(run: Run, run_json: Any, tmp_path: Path, lines: bytes) -> None:
    os.mkfifo(tmp_path / "pipe")
    writing = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[lines])
    writing.start()
    assert run_json("import", "pipe")["imported"] == len(TEXTS)
    writing.join()
    got: list[bytes] = []
    reading = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reading.start()
    assert run("export", "pipe").exit_code == 0
    reading.join()
    assert _records(got[0]) == _records(run("export").stdout_bytes)


@pytest.mark.parametrize(
    ("stop", "code"), [(KeyboardInterrupt(), 130), (StoreUnavailableError("the disk is full"), 1)]
)
def test_an_import_that_is_stopped_says_how_far_it_came(
    run: Run, run_json: Any, monkeypatch: pytest.MonkeyPatch, stop: BaseException, code: int
) -> None:
    source = b"".join(
        b'{"role": "user", "text": "%d", "key": "%d"}\n' % (one, one) for one in range(5)
    )
    remember_many, runs = CompressiveMemory.remember_many, iter(range(3))

    def remember(memory: CompressiveMemory, turns: Any) -> Any:
        if next(runs) == 2:
            raise stop
        return remember_many(memory, turns)

    monkeypatch.setattr(transfer, "BATCH_TURNS", 2)
    with monkeypatch.context() as patch:
        patch.setattr(CompressiveMemory, "remember_many", remember)
        stopped = run("import", "-", stdin=source)
    assert stopped.exit_code == code
    assert "first 4 of 5 turns are stored" in stopped.stderr
    assert [turn["text"] for turn in run_json("history")] == ["0", "1", "2", "3"]
    assert run("import", "-", stdin=source).exit_code == 0
    assert [turn["text"] for turn in run_json("history")] == ["0", "1", "2", "3", "4"]
