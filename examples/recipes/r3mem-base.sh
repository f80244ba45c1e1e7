#!/usr/bin/env bash
# The bundled checkpoint. DATA: folder of *.jsonl.zst as docs/training.md says. It went on from the
# matrices of an earlier r3mem-base, which filled segments in lanes (fingerprint 0ba5a9b91f2d760a), and
# was interrupted four times with other values of --minutes and --gist-from, on a busy machine; the
# curve in training.json shows where. What an uninterrupted run takes stands here.
set -euo pipefail
DATA=${1:?usage: r3mem-base.sh DATA EVAL}
EVAL=${2:?usage: r3mem-base.sh DATA EVAL}
r3mem train "$DATA" --out runs/inwards --name r3mem-base --minutes 221 --start-from r3mem-base \
  --gist-from 0.43
python "$(dirname "$0")/teach.py" "$DATA" runs/taught.npz
r3mem train "$DATA" --out runs/r3mem-base --name r3mem-base --minutes 45 \
  --start-from runs/inwards/checkpoint --taught runs/taught.npz --held-out "$EVAL"
