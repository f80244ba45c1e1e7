from __future__ import annotations

from pathlib import Path

import pytest

import r3mem_langchain
from tests.new_process import loaded, run

ROOT = Path(__file__).parents[2]


def test_exports_are_sorted_and_there() -> None:
    names = r3mem_langchain.__all__
    assert names == sorted(names) == dir(r3mem_langchain)
    for name in names:
        assert getattr(r3mem_langchain, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'R3Nothing'"):
        _ = r3mem_langchain.R3Nothing


def test_a_module_without_an_underscore_holds_what_the_package_lists() -> None:
    listed = {getattr(r3mem_langchain, name).__module__ for name in r3mem_langchain.__all__}
    files = (ROOT / "integrations" / "r3mem_langchain").glob("[!_]*.py")
    assert {f"r3mem_langchain.{file.stem}" for file in files} == listed


@pytest.mark.parametrize(
    ("name", "unneeded"),
    [
        ("__all__", "langchain_core langchain langgraph langchain_classic torch numpy"),
        ("R3Retriever", "langchain langgraph langchain_classic torch"),
        ("R3ChatMessageHistory", "langchain langgraph langchain_classic torch"),
        ("as_tools", "langchain langgraph langchain_classic torch"),
        ("R3Memory", "langgraph langchain torch"),
        ("R3MemoryMiddleware", "langchain_classic torch"),
        ("R3Store", "langchain langchain_classic torch"),
    ],
)
def test_each_name_loads_only_what_it_needs(name: str, unneeded: str) -> None:
    assert loaded(f"import r3mem_langchain; r3mem_langchain.{name}", unneeded.split()) == []


@pytest.mark.parametrize(
    ("name", "missing", "extra"),
    [
        ("R3LatentChatModel", "peft", "latent"),
        ("R3Memory", "langchain_classic", "classic"),
        ("R3MemoryMiddleware", "langchain", "langchain"),
        ("R3Store", "langgraph", "langchain"),
    ],
)
def test_what_is_missing_is_named(name: str, missing: str, extra: str) -> None:
    code = (
        "import r3mem_langchain\n"
        f"try: r3mem_langchain.{name}\n"
        "except ImportError as error: print(error)"
    )
    assert f"pip install 'r3mem-agents[{extra}]'" in run(code, without=[missing])
