from __future__ import annotations

from pathlib import Path

import r3mem_llamaindex

ROOT = Path(__file__).parents[2]


def test_exports_are_sorted_and_there() -> None:
    names = r3mem_llamaindex.__all__
    assert names == sorted(names)
    for name in names:
        assert getattr(r3mem_llamaindex, name).__doc__


def test_a_module_without_an_underscore_holds_what_the_package_lists() -> None:
    listed = {getattr(r3mem_llamaindex, name).__module__ for name in r3mem_llamaindex.__all__}
    files = (ROOT / "integrations" / "r3mem_llamaindex").glob("[!_]*.py")
    assert {f"r3mem_llamaindex.{file.stem}" for file in files} == listed
