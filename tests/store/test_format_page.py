"""docs/format.md is enough to read a file: nothing that reads one here comes from the package.

What is read here is compared with what was written; ``read`` and what it calls know the page alone.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import shutil
import sqlite3
import struct
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents.store import Store
from tests.golden.conversation import EARLIER, SCOPES

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
BUNDLED = ROOT / "r3mem_agents" / "checkpoints"
FILES = {
    "format-5": GOLDEN / "tiny",
    "r3mem-base-1": None,
    "format-4": GOLDEN / "tiny",
    "format-3": GOLDEN / "tiny",
}
"""Golden files, and the folder of the checkpoint that wrote them where it is small.

Those of an earlier format are brought to this one first, as a user's are.
"""

Row = dict[str, Any]


class File:
    """A file as the page describes it."""

    def __init__(self, path: Path) -> None:
        self.tables: dict[str, dict[int, Row]] = {}
        with closing(sqlite3.connect(path)) as connection:
            [self.application_id] = connection.execute("PRAGMA application_id").fetchone()
            connection.row_factory = sqlite3.Row
            for name in ("meta", "models", "scopes", "sessions", "speakers", "turns", "blocks"):
                rows = connection.execute(f"SELECT * FROM {name} ORDER BY id")
                self.tables[name] = {row["id"]: dict(row) for row in rows}
            self.marks = {
                row["turn"]: dict(row) for row in connection.execute("SELECT * FROM marks")
            }
        [self.meta] = self.tables["meta"].values()
        self.secret = self.meta["secret"]

    def masked(self, data: bytes) -> bytes:
        stream = hashlib.shake_256(self.secret).digest(len(data))
        return bytes(a ^ b for a, b in zip(data, stream, strict=True))

    def shown(self, hidden: bytes) -> str:
        return zlib.decompress(self.masked(hidden), wbits=-15).decode()

    def digest(self, kind: str, text: str, size: int = 16) -> bytes:
        return hashlib.blake2b(
            text.encode(), digest_size=size, key=self.secret, person=kind.encode()
        ).digest()


def signed(crc: int) -> int:
    return crc - 2**32 if crc >= 2**31 else crc


def varints(data: bytes) -> list[int]:
    found, number, bits = [], 0, 0
    for byte in data:
        number |= (byte & 127) << bits
        bits += 7
        if byte < 128:
            found.append(number)
            number = bits = 0
    return found


class Stream:
    """The range decoder."""

    def __init__(self, code: bytes) -> None:
        self.rest = iter(code)
        self.value = 0
        for _ in range(8):
            self.value = self.value << 8 | next(self.rest, 0)
        self.range = 2**64 - 1

    def symbol(self, frequencies: Sequence[int]) -> int:
        ends = [*accumulate(frequencies)]
        step = self.range // ends[-1]
        symbol = bisect_right(ends, min(self.value // step, ends[-1] - 1))
        self._past(step, ends[symbol] - frequencies[symbol], frequencies[symbol])
        return symbol

    def uniform(self, total: int) -> int:
        step = self.range // total
        value = min(self.value // step, total - 1)
        self._past(step, value, 1)
        return value

    def _past(self, step: int, start: int, size: int) -> None:
        self.value -= step * start
        self.range = step * size
        while self.range < 2**56:
            self.value = (self.value << 8 | next(self.rest, 0)) % 2**64
            self.range <<= 8


class Checkpoint:
    """What expands *packed* segments, counts and bytes of the tokens; and its fingerprints."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        data = (folder / "model.safetensors").read_bytes()
        [size] = struct.unpack("<Q", data[:8])
        self.tensors: dict[str, Any] = json.loads(data[8 : 8 + size])
        self.tensors.pop("__metadata__", None)
        self.body = data[8 + size :]
        counts = self.tensor("static_counts")
        self.frequencies = [n + 1 for (n,) in struct.iter_unpack("<q", counts)]
        plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
        others = [byte for byte in range(256) if byte not in plain]
        table = {chr(byte): byte for byte in plain}
        table |= {chr(256 + place): byte for place, byte in enumerate(others)}
        vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
        self.tokens = {
            number: bytes(table[char] for char in token) for token, number in vocabulary.items()
        }

    def tensor(self, name: str) -> bytes:
        start, end = self.tensors[name]["data_offsets"]
        return self.body[start:end]

    def fingerprint(self, part: str, file: str) -> str:
        sizes = json.loads((self.folder / "config.json").read_text("utf-8"))[part]
        digest = hashlib.blake2b(json.dumps([3, sizes], sort_keys=True).encode(), digest_size=8)
        types = {"I8": "torch.int8", "I64": "torch.int64", "F32": "torch.float32"}
        for name, about in sorted(self.tensors.items()):
            if name.startswith("encoder.") == (part == "encoder"):
                digest.update(f"{name} {types[about['dtype']]} {about['shape']}".encode())
                digest.update(self.tensor(name))
        digest.update((self.folder / file).read_bytes())
        return digest.hexdigest()


def expand(code: bytes, checkpoint: Checkpoint | None) -> tuple[bytes, int | None, bytes | None]:
    """The hash of a text, how many tokens it has, and its bytes where no network is needed."""
    if code[:1] == b"\xff":
        lzma1 = {"id": lzma.FILTER_LZMA1, "preset": 9, "dict_size": 1 << 24}
        filters = [{**lzma1, "lc": 3, "lp": 0, "pb": 0}]
        return code[1:4], None, lzma.decompress(code[4:], lzma.FORMAT_RAW, filters=filters)
    stream = Stream(code)
    assert stream.symbol([254, 2]) == 0
    digest = stream.uniform(2**24).to_bytes(3)
    count = stream.symbol([4096 // (n + 8) for n in range(64)])
    if count == 63:
        count += stream.uniform(256) + 256 * stream.uniform(256)
    sizes = [min(64, count - start) for start in range(0, count, 64)]
    modes = [stream.symbol([1000, 20, 4]) for _ in sizes]
    parts: list[bytes | None] = [None for _ in sizes]
    for place, mode in enumerate(modes):
        if mode == 2:
            length = stream.uniform(2**16)
            parts[place] = bytes(stream.uniform(256) for _ in range(length))
    for place, (mode, size) in enumerate(zip(modes, sizes, strict=True)):
        if mode == 1 and checkpoint is not None:
            tokens = [stream.symbol(checkpoint.frequencies) for _ in range(size)]
            parts[place] = b"".join(checkpoint.tokens[token] for token in tokens)
    whole = [part for part in parts if part is not None]
    return digest, count, b"".join(whole)[1:] if len(whole) == len(parts) else None


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[File, Checkpoint | None]:
    folder = FILES[request.param]
    checkpoint = None if folder is None else Checkpoint(folder)
    copy = Path(shutil.copy(GOLDEN / f"{request.param}.db", tmp_path))
    Store(copy).close()
    return File(copy), checkpoint


Given = tuple[File, Checkpoint | None]


def said(found: File) -> dict[int, Any]:
    """The turns that were written, by the ids that they got: the order of writing is theirs."""
    by_scope: dict[tuple[str, str], list[int]] = {}
    for id_, turn in found.tables["turns"].items():
        if id_ in found.marks and found.marks[id_]["version_of"] is not None:
            continue  # an earlier text of another one
        user, agent = json.loads(found.shown(found.tables["scopes"][turn["scope"]]["hidden"]))
        by_scope.setdefault((user, agent), []).append(id_)
    assert by_scope.keys() == SCOPES.keys()
    return {
        id_: turn
        for scope, ids in by_scope.items()
        for id_, turn in zip(ids, SCOPES[scope], strict=True)
    }


def test_the_header_is_as_the_page_says(file: Given) -> None:
    found, _ = file
    assert found.application_id == 0x52334D65
    assert found.meta["format"] == 5
    assert found.meta["secret_checksum"] == zlib.crc32(found.secret)
    assert found.meta["model"] in found.tables["models"]


def test_models_have_the_fingerprints_of_the_page(file: Given) -> None:
    found, checkpoint = file
    [model] = found.tables["models"].values()
    checkpoint = checkpoint or Checkpoint(BUNDLED / model["name"])
    assert model["expander"] == checkpoint.fingerprint("expander", "tokenizer.json")
    assert model["encoder"] == checkpoint.fingerprint("encoder", "pieces.json")


def test_turns_are_read(file: Given) -> None:
    found, _ = file
    for id_, turn in said(found).items():
        row = found.tables["turns"][id_]
        session = found.tables["sessions"][row["session"]]
        assert found.shown(session["hidden"]) == turn.session
        assert session["digest"] == found.digest("session", turn.session)
        speaker = found.tables["speakers"][row["speaker"]]
        who = found.shown(speaker["hidden"])
        assert who == json.dumps([turn.role, turn.name], separators=(",", ":"))
        assert speaker["digest"] == found.digest("speaker", who)
        zone = timezone(timedelta(seconds=row["offset_s"]))
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row["time_us"])
        assert moment == turn.time
        assert moment.astimezone(zone).isoformat() == turn.time.isoformat()
        key, extra = row["key"], row["extra"]
        assert (None if key is None else found.masked(key).decode()) == turn.key
        assert ({} if extra is None else json.loads(found.shown(extra))) == (turn.metadata or {})


def test_names_of_scopes_have_their_digests(file: Given) -> None:
    found, _ = file
    for row in found.tables["scopes"].values():
        user, agent = json.loads(found.shown(row["hidden"]))
        assert row["user"] == found.digest("user", user)
        assert row["agent"] == found.digest("agent", agent)


def test_checksums_are_those_of_the_page(file: Given) -> None:
    found, _ = file
    for row in found.tables["turns"].values():
        scope = found.tables["scopes"][row["scope"]]
        values = [
            scope["user"],
            scope["agent"],
            found.tables["sessions"][row["session"]]["digest"],
            found.tables["speakers"][row["speaker"]]["digest"],
            *(row[name] for name in ("code", "gists", "key", "extra")),
        ]
        numbers = [row["model"], row["time_us"], row["offset_s"]]
        numbers += [-1 if value is None else len(value) for value in values]
        data = struct.pack("<11q", *numbers) + b"".join(value or b"" for value in values)
        assert row["checksum"] == signed(zlib.crc32(data))
    for row in found.tables["blocks"].values():
        data = struct.pack("<qq", row["scope"], row["last"]) + row["data"]
        assert row["checksum"] == signed(zlib.crc32(data))


def test_codes_are_read_as_far_as_they_need_no_network(file: Given) -> None:
    found, checkpoint = file
    read = 0
    for id_, turn in said(found).items():
        row, data = found.tables["turns"][id_], turn.text.encode()
        digest, tokens, text = expand(row["code"], checkpoint)
        counts = [*varints(row["counts"]), 0, 0, 0, 0, 0][:5]
        assert digest == hashlib.blake2b(data, digest_size=3).digest()
        assert counts[1] == len(data)
        assert tokens in (None, counts[0])
        assert len(row["gists"]) == 32 * min(64, -(-counts[0] // 64))
        assert text in (None, data)
        read += text is not None
    assert read > 2


def test_blocks_are_read(file: Given) -> None:
    found, _ = file
    terms: dict[int, list[bytes]] = {}
    for row in found.tables["blocks"].values():
        whole = zlib.decompress(row["data"], wbits=-15)
        distinct = varints(whole[:9])[0]
        edge = len(whole) - 3 * distinct
        distinct_, count, *numbers = varints(whole[:edge])
        assert distinct_ == distinct
        columns = [numbers[start : start + count] for start in range(0, 3 * count, count)]
        ids = [*accumulate(columns[0])]
        assert ids[-1] == row["last"]
        turns = [found.tables["turns"][id_] for id_ in ids]
        assert columns[1:] == [[turn[name] for turn in turns] for name in ("session", "speaker")]
        planes = [whole[edge + part * distinct :][:distinct] for part in range(3)]
        steps = [int.from_bytes(bytes(step)) for step in zip(*planes, strict=True)]
        counts, places = numbers[3 * count :][:distinct], iter(numbers[3 * count + distinct :])
        for term, times in zip(accumulate(steps), counts, strict=True):
            for place in accumulate(next(places) for _ in range(times)):
                terms.setdefault(ids[place], []).append(term.to_bytes(3))
        assert next(places, None) is None
        assert found.tables["scopes"][row["scope"]]["turns"] == count
    asks = found.digest("term", "?", 3)
    for id_, turn in said(found).items():
        assert (asks in terms.get(id_, [])) == ("?" in turn.text)


def test_marks_are_read() -> None:
    found = File(GOLDEN / "format-5.db")
    turns = said(found)
    for id_, row in found.marks.items():
        values = [row[name] for name in ("pinned", "expires_us", "version_of", "replaced_us")]
        numbers = [-(2**63) if value is None else value for value in values]
        data = struct.pack("<6q", id_, row["scope"], *numbers)
        assert row["checksum"] == signed(zlib.crc32(data))
        assert found.tables["turns"][id_]["scope"] == row["scope"]
    ends = {id_: row["expires_us"] for id_, row in found.marks.items()}
    assert [
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ends[id_])
        for id_, turn in turns.items()
        if turn.expires is not None
    ] == [turn.expires for turn in turns.values() if turn.expires is not None]
    pinned = [turns[id_] for id_, row in found.marks.items() if row["pinned"]]
    assert pinned == [scope[0] for scope in SCOPES.values()]
    [(earlier, mark)] = [(id_, row) for id_, row in found.marks.items() if row["version_of"]]
    assert turns[mark["version_of"]].text.startswith("Note 2")
    assert mark["replaced_us"] is not None
    row, now = found.tables["turns"][earlier], found.tables["turns"][mark["version_of"]]
    assert [row[name] for name in ("session", "time_us")] == [
        now[name] for name in ("session", "time_us")
    ]
    digest, _, _ = expand(row["code"], None)
    assert digest == hashlib.blake2b(EARLIER.encode(), digest_size=3).digest()


def test_the_page_names_every_table_and_column() -> None:
    page = (ROOT / "docs" / "format.md").read_text("utf-8")
    with closing(sqlite3.connect(GOLDEN / "format-5.db")) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        for (table,) in tables:
            [part] = re.findall(rf"^### [a-z, ]*\b{table}\b.*?(?=^##)", page, re.M | re.S)
            for column in connection.execute(f"PRAGMA table_info({table})"):
                assert f"`{column[1]}`" in part, (table, column[1])
