"""Benchmarks and recipes stand on what the package offers everybody."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for part in ("benchmarks", "examples") for path in (ROOT / part).rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_private_is_touched(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "os")
            names = [] if own else [node.attr]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("r3mem"):
            names = [*(node.module or "").split("."), *(name.name for name in node.names)]
        else:
            continue
        private = [name for name in names if name.startswith("_") and not name.endswith("__")]
        assert not private, f"line {node.lineno}: {private}"


def test_the_wheel_knows_nothing_of_them() -> None:
    for part in ("r3mem_agents", "integrations"):
        for path in (ROOT / part).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                modules += [one.name for one in node.names] if isinstance(node, ast.Import) else []
                assert not any(one.split(".")[0] == "benchmarks" for one in modules), path
