#!/usr/bin/env bash
# The exact command of the bundled checkpoint. DATA: folder of *.jsonl.zst as docs/training.md says.
set -euo pipefail
DATA=${1:?usage: r3mem-base.sh DATA EVAL}
EVAL=${2:?usage: r3mem-base.sh DATA EVAL}
r3mem train "$DATA" --out runs/r3mem-base --name r3mem-base --minutes 95 --held-out "$EVAL"
