#!/usr/bin/env bash
# The first numpy.unique(values) of a process takes 8 ms and not 0.1 since NumPy 2.3, however few values
# there are: it asks numpy.ma.is_masked, and NumPy loads numpy.ma only when it is asked for. With
# return_index, return_inverse or return_counts it is not, so the call that does more is the quick one;
# numpy.union1d calls the slow one as well. One expects a function of plain arrays to cost nothing at
# first that `import numpy` has not cost. Exits with 1 if it is otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
for numpy in numpy==2.2.6 numpy==2.4.6; do
    python3 -m venv --clear "$folder/venv"
    "$folder/venv/bin/pip" install -q --disable-pip-version-check "$numpy"
    for call in "unique(values)" "unique(values, return_counts=True)"; do
        "$folder/venv/bin/python" - "$numpy" "$call" <<'PY' || exit 1
import sys
import time

import numpy as np

before = "numpy.ma" in sys.modules
values = np.arange(3)
start = time.perf_counter()
eval(f"np.{sys.argv[2]}")
took = 1000 * (time.perf_counter() - start)
loaded = "numpy.ma" in sys.modules
print(f"NumPy {np.__version__}: the first {sys.argv[2]} took {took:.1f} ms, numpy.ma is loaded: {before} before, {loaded} after")
expected = sys.argv[1] == "numpy==2.4.6" and sys.argv[2] == "unique(values)"
sys.exit(before or loaded != expected)
PY
    done
done
