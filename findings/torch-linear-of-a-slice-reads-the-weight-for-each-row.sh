#!/usr/bin/env bash
# On a CPU, torch's linear of the last position of each text of a batch, x[:, -1:], takes several times
# as long as that of the same numbers in one piece, x[:, -1:].contiguous(), which is a copy of a few
# kilobytes: a slice that cannot be seen as one matrix becomes a batched product, and the weight is
# expanded and read again for each row of the batch, in bfloat16 laid out anew each time as well. One
# would expect a copy of the small input. The output layer of a language model has the largest weight
# of all, and transformers' logits_to_keep=1, which is to save it work, hands it such a slice.
# Exits with 1 if it is otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PY'
import sys
import time

import torch
from torch.nn.functional import linear

torch.set_num_threads(1)
torch.manual_seed(0)


def best(work):
    times = []
    for _ in range(5):
        begun = time.thread_time()
        work()
        times.append(time.thread_time() - begun)
    return 1000 * min(times)


print(f"torch {torch.__version__}; 8 texts of 128 positions, a vocabulary of 32,768")
print("expected: as long for the slice as for its copy")
slower = []
for dtype in (torch.float32, torch.bfloat16):
    weight = torch.randn(32768, 576).to(dtype)
    last = torch.randn(8, 128, 576).to(dtype)[:, -1:]
    sliced = best(lambda: linear(last, weight))
    copied = best(lambda: linear(last.contiguous(), weight))
    same = torch.allclose(linear(last, weight), linear(last.contiguous(), weight), atol=1)
    print(f"seen, {dtype}: {sliced:.0f} ms for the slice, {copied:.0f} ms for the copy; same: {same}")
    slower.append(same and sliced > 2 * copied)
sys.exit(0 if all(slower) else 1)
PY
