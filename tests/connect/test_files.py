from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from r3mem_agents.connect.changes import Change, make, plan, plan_undo
from r3mem_agents.connect.files import MAX_BYTES, read
from r3mem_agents.connect.records import Records
from r3mem_agents.errors import InvalidInputError
from tests.connect.wanted import files
from tests.memory.test_unwritable import read_only


def filled(home: Path) -> Path:
    for one in files("claude-code", home):
        one.path.parent.mkdir(exist_ok=True)
        one.path.write_text("{}\n")
    return home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return filled(tmp_path)


def planned(home: Path) -> list[Change]:
    return plan(files("claude-code", home), Records(home))


def held(home: Path) -> list[bytes]:
    return [one.path.read_bytes() for one in files("claude-code", home)]


def test_a_link_stays_a_link(home: Path) -> None:
    """As in folders of dotfiles, from which home is linked."""
    [_, settings] = files("claude-code", home)
    real = home / "dotfiles" / "claude.json"
    real.parent.mkdir()
    settings.path.rename(real)
    settings.path.symlink_to(real)
    make(planned(home), Records(home))
    assert settings.path.is_symlink()
    assert b"r3mem" in real.read_bytes()
    make(plan_undo([settings], Records(home)), Records(home))
    assert settings.path.is_symlink()
    assert real.read_bytes() == b"{}\n"


def test_what_changed_since_it_was_shown_is_left(home: Path) -> None:
    changes = planned(home)
    settings = files("claude-code", home)[1].path
    settings.write_text('{"model": "opus"}')
    with pytest.raises(InvalidInputError, match="has changed since it was shown"):
        make(changes, Records(home))
    assert held(home) == [b"{}\n", b'{"model": "opus"}']


def test_what_came_since_it_was_shown_is_left(tmp_path: Path) -> None:
    changes = planned(tmp_path)
    (tmp_path / ".claude.json").write_text("{}")
    with pytest.raises(InvalidInputError, match="has changed since it was shown"):
        make(changes, Records(tmp_path))
    assert (tmp_path / ".claude.json").read_text() == "{}"
    assert not (tmp_path / ".claude").exists()


def test_a_file_that_may_not_be_written_is_left_and_so_is_the_other() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o777)  # whom root becomes has to get there
        filled(home)
        (home / ".claude.json").chmod(0o666)
        changes = planned(home)
        with read_only(home / ".claude"), pytest.raises(PermissionError) as refused:
            make(changes, Records(home))
        assert str(refused.value.filename) == str(home / ".claude" / "settings.json")
        assert held(home) == [b"{}\n", b"{}\n"]
        assert not [*home.rglob("*.part")]
        assert not [one for one in home.rglob("connected/*") if one.is_file()]


def test_a_file_keeps_its_mode_and_a_new_one_is_as_others(home: Path) -> None:
    [servers, settings] = [one.path for one in files("claude-code", home)]
    servers.chmod(0o640)
    settings.unlink()
    make(planned(home), Records(home))
    umask = os.umask(0)
    os.umask(umask)
    modes = [stat.S_IMODE(one.stat().st_mode) for one in (servers, settings)]
    assert modes == [0o640, 0o666 & ~umask]


def test_a_huge_file_is_refused(home: Path) -> None:
    with (home / ".claude.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InvalidInputError, match=r"more than 33,554,432 bytes"):
        planned(home)


def test_what_is_no_text_is_named(home: Path) -> None:
    (home / ".claude.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(InvalidInputError, match=r"claude\.json is not UTF-8 text \(byte 7\)"):
        planned(home)


@pytest.mark.parametrize("make_one", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_named(make_one: object, home: Path) -> None:
    path = home / ".claude.json"
    path.unlink()
    assert callable(make_one)
    make_one(path)
    with pytest.raises(InvalidInputError, match="is no file"):
        read(path)


def test_a_record_holds_nothing_of_the_file(home: Path) -> None:
    """Tokens stand in such files."""
    (home / ".claude.json").write_text('{"mcpServers": {"x": {"env": {"TOKEN": "hunter2"}}}}')
    make(planned(home), Records(home))
    kept = [one.read_text() for one in (home / ".r3mem").rglob("*.json")]
    assert len(kept) == 2
    assert not any("hunter2" in one or "TOKEN" in one for one in kept)
    assert b"hunter2" in held(home)[0]


@pytest.mark.parametrize("damage", ["", "[]", '{"additions": [{}]}', "{"])
def test_a_record_that_is_damaged_counts_as_none(damage: str, home: Path) -> None:
    make(planned(home), Records(home))
    for one in (home / ".r3mem").rglob("*.json"):
        one.write_text(damage)
    make(plan_undo(files("claude-code", home), Records(home)), Records(home))
    assert not any(b"r3mem" in one for one in held(home))
