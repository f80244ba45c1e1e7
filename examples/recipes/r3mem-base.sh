#!/usr/bin/env bash
# The bundled checkpoint. DATA: folder of *.jsonl.zst as docs/training.md says. It went on from the
# matrices of an earlier r3mem-base, which filled segments in lanes (fingerprint 0ba5a9b91f2d760a). The
# first two stages were interrupted with other values of --minutes and --gist-from, on a busy machine;
# what uninterrupted runs take stands here. training.json has the curve of the last stage.
set -euo pipefail
DATA=${1:?usage: r3mem-base.sh DATA EVAL}
EVAL=${2:?usage: r3mem-base.sh DATA EVAL}
# The codec, with a gist for its own sake.
r3mem train "$DATA" --out runs/inwards --name r3mem-base --minutes 221 --start-from r3mem-base \
  --gist-from 0.43
# The gist, taught by a sentence encoder.
python "$(dirname "$0")/teach.py" "$DATA" runs/taught.npz
r3mem train "$DATA" --out runs/taught --name r3mem-base --minutes 45 \
  --start-from runs/inwards/checkpoint --taught runs/taught.npz
# The codec again, the gist kept.
r3mem train "$DATA" --out runs/r3mem-base --name r3mem-base --minutes 92 --rates 0.5 \
  --start-from runs/taught/checkpoint --held-out "$EVAL"
