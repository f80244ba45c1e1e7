"""Connecting keeps what is there, and undoing leaves no trace."""

from __future__ import annotations

import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.connect.changes import make, plan, plan_undo
from r3mem_agents.connect.hosts import HOSTS, Wanted
from r3mem_agents.connect.invocation import Invocation
from r3mem_agents.connect.jsonc import scan
from r3mem_agents.connect.records import Records
from tests.connect.texts import MARK, configurations, toml_texts
from tests.connect.wanted import BY, JSON, STRICT, TOML, files

OTHER = Invocation(BY.program, "/elsewhere.db", ("--user", "bob"))


class Place:
    """One file of a host in a home of its own."""

    def __init__(self, home: str, wanted: Wanted) -> None:
        self.path = Path(home) / "config"
        self.records = Records(Path(home))
        self.wanted = self.at(wanted)

    def at(self, wanted: Wanted) -> Wanted:
        return Wanted(self.path, wanted.form, wanted.server, wanted.hooks, wanted.version)

    def connect(self, wanted: Wanted | None = None) -> bool:
        changes = plan([self.at(wanted) if wanted else self.wanted], self.records)
        make(changes, self.records)
        return bool(changes)

    def undo(self) -> bool:
        changes = plan_undo([self.wanted], self.records)
        make(changes, self.records)
        return bool(changes)

    def read(self) -> str:
        return self.path.read_bytes().decode()

    def write(self, text: str) -> None:
        self.path.write_bytes(text.encode())


def texts(wanted: Wanted) -> st.SearchStrategy[str]:
    if wanted.form == "toml":
        return toml_texts()
    return configurations(comments=wanted.form == "jsonc")


def means(wanted: Wanted, text: str) -> dict[str, Any]:
    if wanted.form == "toml":
        return tomllib.loads(text)
    found: dict[str, Any] = scan(text, "it", comments=wanted.form == "jsonc").value
    return found


@given(st.data(), st.sampled_from([*JSON, TOML]))
def test_undo_gives_the_file_back_to_the_byte(data: st.DataObject, wanted: Wanted) -> None:
    text = data.draw(texts(wanted))
    with tempfile.TemporaryDirectory() as home:
        place = Place(home, wanted)
        place.write(text)
        assert place.connect()
        assert place.undo()
        assert place.read() == text
        assert not place.undo()


@given(st.data(), st.sampled_from([*JSON, TOML]))
def test_what_others_change_meanwhile_stays(data: st.DataObject, wanted: Wanted) -> None:
    text = data.draw(texts(wanted))
    with tempfile.TemporaryDirectory() as home:
        place = Place(home, wanted)
        place.write(text)
        place.connect()
        assert MARK in place.read()
        place.write(place.read().replace(MARK, "something else"))
        place.undo()
        assert place.read() == text.replace(MARK, "something else")


@given(st.data(), st.sampled_from(STRICT))
def test_a_host_may_write_the_file_anew(data: st.DataObject, wanted: Wanted) -> None:
    """Claude Code does, with two spaces and its own members in it."""
    text = data.draw(configurations(comments=False))
    later = {"numStartups": 8, "mcpServers": {}} if wanted.hooks else {"numStartups": 8}
    with tempfile.TemporaryDirectory() as home:
        place = Place(home, wanted)
        place.write(text)
        place.connect()
        place.write(json.dumps(json.loads(place.read()) | later, indent=2))
        assert not place.connect()
        place.undo()
        assert json.loads(place.read()) == json.loads(text) | later


@given(st.data(), st.sampled_from([*JSON, TOML]))
def test_all_that_is_there_stays_in_its_order(data: st.DataObject, wanted: Wanted) -> None:
    text = data.draw(texts(wanted))
    with tempfile.TemporaryDirectory() as home:
        place = Place(home, wanted)
        place.write(text)
        place.connect()
        found = iter(place.read())
        assert all(character in found for character in text)  # text was put in, none was taken
        value = means(wanted, place.read())
    if wanted.server is not None:
        path, entry = wanted.server
        assert value[path[0]].pop(path[1]) == entry
    for event, element in wanted.hooks.items():
        assert value["hooks"][event].pop() == element
    assert without_empty(value) == without_empty(means(wanted, text))


def without_empty(value: dict[str, Any]) -> dict[str, Any]:
    """The value without members that may have been made for an entry."""
    hooks = {event: many for event, many in value.get("hooks", {}).items() if many}
    rest = {key: one for key, one in value.items() if key not in ("hooks", "version")}
    return {key: one for key, one in {**rest, "hooks": hooks}.items() if one != {}}


@pytest.mark.parametrize("host", [*HOSTS])
def test_connecting_again_changes_nothing(host: str, tmp_path: Path) -> None:
    wanted, records = files(host, tmp_path), Records(tmp_path)
    make(plan(wanted, records), records)
    assert plan(wanted, records) == []


@pytest.mark.parametrize("host", [*HOSTS])
@pytest.mark.parametrize("text", [None, "", "\n", "\ufeff \r\n"])
def test_files_that_were_not_there_go(host: str, text: str | None, tmp_path: Path) -> None:
    wanted, records = files(host, tmp_path), Records(tmp_path)
    for one in wanted if text is not None else ():
        one.path.parent.mkdir(parents=True, exist_ok=True)
        one.path.write_bytes(text.encode() if text else b"")
    before = sorted(tmp_path.rglob("*"))
    make(plan(wanted, records), records)
    assert all(one.path.stat().st_size > 20 for one in wanted)
    make(plan_undo(wanted, records), records)
    left = [one for one in sorted(tmp_path.rglob("*")) if ".r3mem" not in str(one)]
    assert left == before
    assert all(one.path.read_bytes() == (text or "").encode() for one in wanted if text is not None)


@pytest.mark.parametrize("host", [*HOSTS])
def test_another_memory_takes_the_place_of_the_first(host: str, tmp_path: Path) -> None:
    records = Records(tmp_path)
    make(plan(files(host, tmp_path), records), records)
    make(plan(files(host, tmp_path, by=OTHER), records), records)
    for one in files(host, tmp_path):
        text = one.path.read_text()
        assert text.count("/elsewhere.db") == text.count("bob") == max(1, len(one.hooks))
        assert "memory.db" not in text
    make(plan_undo(files(host, tmp_path), records), records)
    assert not any(one.path.exists() for one in files(host, tmp_path))


def test_what_the_user_sets_in_our_entry_stays(tmp_path: Path) -> None:
    [servers, _] = files("claude-code", tmp_path)
    records = Records(tmp_path)
    own = '{"mcpServers": {"r3mem": {"command": "old", "env": {"TZ": "UTC"}}}}'
    servers.path.write_text(own)
    make(plan([servers], records), records)
    assert servers.server is not None
    entry = json.loads(servers.path.read_text())["mcpServers"]["r3mem"]
    assert entry == {**servers.server[1], "env": {"TZ": "UTC"}}
    make(plan_undo([servers], records), records)
    assert servers.path.read_text() == own


@pytest.mark.parametrize("host", HOSTS)
def test_undo_again_leaves_what_somebody_else_has_called_so(host: str, tmp_path: Path) -> None:
    [one] = [one for one in files(host, tmp_path) if one.server]
    [above, name], _ = one.server or ((), {})
    text = json.dumps({above: {name: {"command": "mine", "args": ["mcp"]}}})
    if one.form == "toml":
        text = f'[{above}.{name}]\ncommand = "mine"\nargs = ["mcp"]\n'
    one.path.parent.mkdir(parents=True, exist_ok=True)
    one.path.write_text(text)
    records = Records(tmp_path)
    make(plan([one], records), records)
    assert "mine" not in one.path.read_text()
    for _ in range(2):
        make(plan_undo([one], records), records)
        assert one.path.read_text() == text


def test_a_header_in_a_text_is_none(tmp_path: Path) -> None:
    place = Place(str(tmp_path), TOML)
    text = 'example = """\n[mcp_servers.r3mem]\ncommand = "x"\n"""\n'
    place.write(text)
    place.connect()
    place.undo()
    assert place.read() == text


def test_undo_needs_no_record(tmp_path: Path) -> None:
    """As on another computer, which shares the file."""
    for host in HOSTS:
        wanted = files(host, tmp_path)
        make(plan(wanted, Records(tmp_path)), Records(tmp_path))
        make(plan_undo(wanted, Records(tmp_path / "other")), Records(tmp_path / "other"))
        assert not any("r3mem" in one.path.read_text() for one in wanted)


@pytest.mark.parametrize("wanted", [*JSON, TOML], ids=lambda one: one.path.name)
def test_a_record_of_before_does_not_count(wanted: Wanted, tmp_path: Path) -> None:
    """As of a file that was put back by hand."""
    place = Place(str(tmp_path), wanted)
    place.connect()  # there is no file yet
    for text in ("# mine" if wanted.form == "toml" else "{}", "\n"):
        place.write(text)
        place.connect()
        place.undo()
        assert place.read() == text


def test_what_codex_adds_below_our_table_goes_with_it(tmp_path: Path) -> None:
    [config, _] = files("codex", tmp_path)
    records = Records(tmp_path)
    config.path.parent.mkdir()
    config.path.write_text('model = "gpt"\n')
    make(plan([config], records), records)
    with config.path.open("a") as file:
        file.write(
            '\n[mcp_servers.r3mem.tools.recall]\napproval_mode = "approve"\n\n[tui]\nx = 1\n'
        )
    make(plan_undo([config], records), records)
    assert tomllib.loads(config.path.read_text()) == {"model": "gpt", "tui": {"x": 1}}
