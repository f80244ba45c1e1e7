"""The Python of the hosts' pages runs, in order, and prints what the pages say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import OTHER_HOSTS, blocks, named

RUNNING = [page for page in OTHER_HOSTS if page.exists()]


@pytest.mark.parametrize("page", RUNNING, ids=named)
def test_the_python_of_a_page_runs_in_order(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(OTHER_HOSTS[page])
    names: dict[str, Any] = {}
    for block in blocks(page):
        if not block.runs or block.language in ("text", "mermaid"):
            continue
        assert block.language == "python", f"{named(page)}: ```{block.language}"
        exec(compile(block.text, named(page), "exec"), names)
        printed = capsys.readouterr().out
        if block.output is not None:
            assert [line.rstrip() for line in printed.splitlines()] == block.output.splitlines()
