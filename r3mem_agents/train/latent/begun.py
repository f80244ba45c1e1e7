"""What a run was begun with: it goes on with the same, and its record says so."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from r3mem_agents.errors import ModelMismatchError
from r3mem_agents.train.run import STATE

FILE = "begun.json"


def check_begun(out: Path, **given: Any) -> None:
    """Note what a run begins with; refuse to go on with another.

    Args:
        out: Folder of the run.
        given: By name: fingerprints, or hashes of files, as JSON has them.

    Raises:
        ModelMismatchError: The run in ``out`` was begun with another.
    """
    known: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        known = dict(json.loads((out / FILE).read_text(encoding="utf-8")))
    if (out / STATE).exists():
        for name, one in given.items():
            if known.get(name, one) != one:
                raise ModelMismatchError(
                    f"the run in {out} was not begun with this {name}; go on with its own, or "
                    f"begin another with --out, and with --start-from {out / 'adapter'} if it is "
                    "to build on this one"
                )
    partial = out / "begun.partial"
    partial.write_text(json.dumps(known | given, indent=1) + "\n", encoding="utf-8")
    partial.replace(out / FILE)
