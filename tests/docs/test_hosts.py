"""The three hosts that the docs show remember in another process what one of them was told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import DOCS, ROOT, blocks

HOSTS = [
    block.text
    for page in ("langchain.md", "llamaindex.md")
    for block in blocks(DOCS / page)
    if "# your model here" in block.text and "input(" in block.text
]
NAMES = ["agent", "chain", "engine"]
TOLD = "My dog is called Biscuit."


def say(block: str, text: str, folder: Path) -> str:
    """Run a block in a process of its own, with a model that repeats its prompt."""
    path = [str(ROOT), str(ROOT / "integrations"), *sys.path]
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "docs" / "repeating.py", block],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a memory that was told something by the agent, in a process that has ended."""
    folder = tmp_path_factory.mktemp("told")
    assert TOLD in say(HOSTS[0], TOLD, folder)
    return folder


@pytest.mark.parametrize(("name", "block"), list(zip(NAMES, HOSTS, strict=True)), ids=NAMES)
def test_hosts_remember_in_another_process(
    name: str, block: str, told: Path, tmp_path: Path
) -> None:
    assert f"{name} = " in block
    shutil.copytree(told, tmp_path, dirs_exist_ok=True)
    assert TOLD in say(block, "What is my dog called?", tmp_path)
