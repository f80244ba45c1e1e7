from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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
    assert run_json("import", "in.jsonl") == {"imported": len(TEXTS)}
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
        (b"\xff\xfe", "line 2"),
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


def test_export_never_overwrites_the_memory(run: Run, run_json: Any) -> None:
    run_json("remember", "One.")
    assert run("export", "r3mem.db").exit_code == 1
    assert len(run_json("history")) == 1
