"""What 64 tokens cost after each kind of history."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from r3mem_agents.latent.adapter import Adapter
from r3mem_agents.latent.compressing import compressed
from r3mem_agents.latent.passes import assemble, reading_pass
from r3mem_agents.latent.positions import Layers

READ = 64
RAW = 16
"""Last tokens of the history that every prompt has."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A history of some segments."""

    segment: int
    blocks: int

    @property
    def history(self) -> int:
        """Tokens of it."""
        return self.segment * self.blocks


RATIOS = (Cell(128, 1), Cell(256, 1), Cell(512, 1))
HISTORIES = (Cell(128, 2), Cell(128, 4), Cell(128, 8))
CELLS = (*RATIOS, *HISTORIES)


class Reader:
    """Reads the end of a window after what came before it.

    Args:
        adapter: With its base.
        window: A history and the ``READ`` tokens after it, ``(1, length)``.
    """

    def __init__(self, adapter: Adapter, window: Tensor) -> None:
        self._adapter = adapter
        self._history, self._text = window[:, :-READ], window[:, -READ:]
        self._sink = torch.full((1, 1), adapter.sink, device=window.device)

    def blocks(self, segment: int) -> list[Layers]:
        """Memory tokens of all segments of the history, oldest first."""
        rows = self._history[:, -(self._history.shape[1] // segment * segment) :]
        return [compressed(self._adapter, ids).layers for ids in rows.view(-1, segment).tolist()]

    def after_raw(self, tokens: int) -> float:
        """Nats a token after the last tokens of the history, or none."""
        before = self._history[:, self._history.shape[1] - tokens :]
        return self._nats(self._adapter.empty_cache(), torch.cat([self._sink, before], dim=1))

    def after_memory(self, blocks: Sequence[Layers], raw: int) -> float:
        """Nats a token after blocks of memory tokens and the last tokens of the history."""
        before = self._history[:, self._history.shape[1] - raw :]
        return self._nats(assemble(self._adapter, blocks), before)

    def _nats(self, cache: Any, before: Tensor) -> float:
        ids = torch.cat([before, self._text[:, :-1]], dim=1)
        after = torch.zeros_like(ids, dtype=torch.bool)
        after[:, before.shape[1] :] = True
        logits = reading_pass(self._adapter, cache, ids, after=after)
        return float(cross_entropy(logits.float(), self._text[0, 1:]))


def measure(
    adapter: Adapter,
    windows: Tensor,
    cells: Sequence[Cell],
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Return what the last tokens of windows cost, by history.

    After ``none`` of it, its last ``raw`` tokens, ``memory`` tokens of all of it, these ``beside``
    the last raw tokens, the ``same`` number of last tokens as of memory tokens, ``half`` of that
    number as memory tokens and half as last tokens, and the ``full`` history.

    Args:
        adapter: With its base.
        windows: Histories and texts, ``(windows, length)``.
        cells: Histories to measure, each the last tokens before the text.
        advance: Called after each window.
    """
    nats: dict[str, list[float]] = defaultdict(list)
    by_cell: dict[Cell, dict[str, list[float]]] = {one: defaultdict(list) for one in cells}
    for window in windows.to(adapter.base.device):
        with torch.no_grad():
            reader = Reader(adapter, window[None])
            nats["none"].append(reader.after_raw(0))
            nats["raw"].append(reader.after_raw(RAW))
            blocks = {one: reader.blocks(one) for one in {cell.segment for cell in cells}}
            for cell, found in by_cell.items():
                kept = blocks[cell.segment][-cell.blocks :]
                found["memory"].append(reader.after_memory(kept, 0))
                found["beside"].append(reader.after_memory(kept, RAW))
                found["same"].append(reader.after_raw(adapter.tokens * cell.blocks))
                found["full"].append(reader.after_raw(cell.history))
                if half := cell.blocks // 2:
                    raw = adapter.tokens * (cell.blocks - half)
                    found["half"].append(reader.after_memory(kept[-half:], raw))
        advance(1)
    base = {name: _mean(values) for name, values in nats.items()}
    return {
        "windows": len(windows),
        "tokens": len(windows) * (READ - 1),
        "cells": [_figures(cell, base, found) for cell, found in by_cell.items()],
    }


def _figures(cell: Cell, base: dict[str, float], found: dict[str, list[float]]) -> dict[str, Any]:
    nats = base | {name: _mean(values) for name, values in found.items()}
    none, full, raw = nats["none"], nats["full"], nats["raw"]
    return {
        "segment": cell.segment,
        "history": cell.history,
        "nats": {name: round(value, 4) for name, value in nats.items()},
        "perplexity": {name: round(math.exp(value), 2) for name, value in nats.items()},
        "share": round((none - nats["memory"]) / (none - full), 4),
        "share_of_same": round((none - nats["same"]) / (none - full), 4),
        "share_beside": round((raw - nats["beside"]) / (raw - full), 4),
    }


def costs(adapter: Adapter, window: Tensor, segment: int, runs: int = 3) -> dict[str, Any]:
    """Return seconds until a text is read after a history and after its memory tokens.

    Args:
        adapter: With its base.
        window: The history and a text, ``(length,)``.
        segment: Tokens of a segment.
        runs: Each is timed so often; the median counts.
    """
    reader = Reader(adapter, window[None].to(adapter.base.device))
    history = len(window) - READ
    with torch.no_grad():
        blocks = reader.blocks(segment)
        return {
            "history_tokens": history,
            "memory_tokens": adapter.tokens * len(blocks),
            "compress_s": _timed(lambda: reader.blocks(segment), runs),
            "read_after_history_s": _timed(lambda: reader.after_raw(history), runs),
            "read_after_memory_s": _timed(lambda: reader.after_memory(blocks, 0), runs),
        }


def _timed(work: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return round(sorted(times)[runs // 2], 3)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
