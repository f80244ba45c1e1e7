from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from r3mem_agents import ReversibleModel
from r3mem_agents.cli import app

TOWNS = ["Lisbon", "Porto", "Faro", "Braga"]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Talk in English, lines and parallel pairs in German, a folder deeper."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "multi").mkdir()
    turns = [
        {"speaker": "A", "text": f"Train {n} to {TOWNS[n % 4]} leaves at {n % 24}:00."}
        for n in range(200)
    ]
    lines = "\n".join(f"Zug {n} nach {TOWNS[n % 4]} fährt um {n % 24} Uhr." for n in range(60))
    pairs = [
        {"type": "pair", "query": f"The bus to {town}, {n}", "passage": f"Bus {n} nach {town}"}
        | {"lang": "de", "cross": "en"}
        for n in range(12)
        for town in TOWNS
    ]
    asked = [
        {"type": "pair", "query": f"When to {town}?", "passage": f"To {town} at {n}."}
        for n in range(12)
        for town in TOWNS
    ]
    write(folder / "talk.jsonl", [{"type": "dialog", "turns": turns}])
    write(folder / "ask.jsonl", asked)
    text = {"type": "text", "lang": "de", "independent_lines": True, "text": lines}
    write(folder / "multi" / "de.jsonl", [text, *pairs])
    return folder


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory, model: ReversibleModel) -> Path:
    """A tiny checkpoint to start from."""
    folder = tmp_path_factory.mktemp("start")
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def teacher(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Path:
    """A random BERT of two small layers with the commonest of all-MiniLM-L6-v2's word pieces."""
    from transformers import AutoModel, AutoTokenizer, BertConfig

    folder = tmp_path_factory.mktemp("teacher")
    AutoTokenizer.from_pretrained(minilm, local_files_only=True).save_pretrained(folder)
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    pieces = content["model"]["vocab"].items()
    content["model"]["vocab"] = {piece: place for piece, place in pieces if place < 5000}
    path.write_text(json.dumps(content))
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        initializer_range=0.3,
    )
    AutoModel.from_config(config).save_pretrained(folder)
    return folder


def write(path: Path, items: list[dict[str, Any]]) -> None:
    path.write_text("\n".join(map(json.dumps, items)) + "\n")


def r3mem(*arguments: object, device: str = "cpu") -> None:
    """Run a command that has to succeed."""
    result = CliRunner().invoke(app, [*map(str, arguments), "--device", device])
    assert result.exit_code == 0, result.output


def record_of(run: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((run / "checkpoint" / "training.json").read_text())
    return record
