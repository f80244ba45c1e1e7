"""The example of documents runs as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_example_says_where_answers_stand(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "documents.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "boiler.md: 2 new, 0 kept, 0 forgotten"
    assert lines[3] == "  boiler.md, line 1, Boiler > Pressure"
    assert lines[5] == "  waste.html, Waste > Paper"
    assert lines[7] == "waste.html: 0 new, 2 kept, 0 forgotten"
    assert lines[9] == "  boiler.md, line 5, Boiler > Pressure"
    assert lines[11] == "  waste.html, Waste > Paper"
