"""What the README shows runs, and what it says was measured stands in a committed result."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from r3mem_agents import CompressiveMemory
from r3mem_agents.cli import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
USE, *HOSTS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
NAMES = ["agent", "chain", "engine"]
CATEGORIES = ["single-hop", "multi-hop", "temporal", "open-domain"]
SYSTEMS = {
    "r3mem": "**r3mem**",
    "bm25": "BM25",
    "minilm": "all-MiniLM-L6-v2, in-memory vector store",
    "bm25+minilm": "both, normalized sum",
}
TOLD = "My dog is called Biscuit."


def test_what_shows_its_use_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(USE, "README.md", "exec"), names)
    [shown] = re.findall(r"print\(.*  # (.*)", USE)
    assert shown == "Alice We adopted a cat named Miso."
    assert capsys.readouterr().out == f"{shown}\n"
    assert shown.removeprefix("Alice ") in names["prompt"]


def test_its_question_is_put_in_other_words() -> None:
    [question] = set(re.findall(r'memory\.(?:recall|context)\("(.*?)"', USE))
    [answer] = re.findall(r'"(.*Miso.*?)"', USE)
    said, asked = (set(re.findall(r"\w+", text.casefold())) for text in (answer, question))
    assert len(asked) == 5
    assert not said & asked


def test_the_command_line_shows_the_same_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(USE, "README.md", "exec"), {})
    [block] = re.findall(r"```console\n(\$ export R3MEM.*?)```", README, re.DOTALL)
    first, *lines = block.replace("$ ", "").splitlines()
    for setting in first.split()[1:]:
        monkeypatch.setenv(*setting.split("="))
    shown = {}
    for line in lines:
        program, command, *rest = shlex.split(line)
        assert program == "r3mem"
        done = CliRunner().invoke(app, [command, *rest], input="")
        assert done.exit_code == 0, done.stderr
        assert "note: " not in done.stderr
        shown[command] = done.stdout
    assert "We adopted a cat named Miso." in shown["recall"]
    assert shown["users"] == "alice, agent default: 3 turns in 1 session\n"
    assert {path.name for path in tmp_path.iterdir()} == {"alice.db", "alice.jsonl"}


def say(block: str, text: str, folder: Path) -> str:
    """Run a block in a process of its own, with a model that repeats its prompt."""
    path = [str(ROOT), str(ROOT / "integrations"), *sys.path]
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "repeating.py", block],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a memory that was told something by the agent, in a process that has ended."""
    folder = tmp_path_factory.mktemp("told")
    assert TOLD in say(HOSTS[0], TOLD, folder)
    return folder


@pytest.mark.parametrize(("name", "block"), list(zip(NAMES, HOSTS, strict=True)), ids=NAMES)
def test_hosts_remember_in_another_process(
    name: str, block: str, told: Path, tmp_path: Path
) -> None:
    assert f"{name} = " in block
    shutil.copytree(told, tmp_path, dirs_exist_ok=True)
    assert TOLD in say(block, "What is my dog called?", tmp_path)


def test_figures_are_those_of_the_results() -> None:
    codec = json.loads((ROOT / "docs/results/codec.json").read_text())["figures"]
    speed = json.loads((ROOT / "docs/results/speed.json").read_text())["figures"]
    names = {
        "r3mem": "**memory tokens** (exact, hash and framing included)",
        "r3mem + gist": "memory tokens and gists (what lookups need as well)",
        "static entropy coder": "the same tokens under a static entropy coder",
        "token ids packed": "token ids packed into 15 bits",
        "zstd-19 + dictionary": "zstd-19 with a dictionary trained on the training set",
        "brotli-11": "brotli-11",
        "zstd-19": "zstd-19",
    }
    for name, label in names.items():
        whole, middle = codec["ratio"][name], codec["ratio_50_to_250_bytes"][name]
        row = next(line for line in README.splitlines() if line.startswith(f"| {label} |"))
        assert re.findall(r"0\.\d{3}", row) == [f"{whole:.3f}", f"{middle:.3f}"]
    assert f"{100 * codec['share_smaller_than_static_coder']:.1f} %" in README
    assert f"| write one turn | {speed['write_one_ms']['p50']:.1f} ms (p50) |" in README
    assert f"| write in batches | {speed['write_batch_turns_per_s']:.0f} turns/s |" in README
    assert f"10,000 | {speed['recall_ms']['10000']['p50']:.0f} ms (p50) |" in README
    assert f"| expand | {speed['expand_tokens_per_s']:,.0f} tokens/s |" in README
    assert f"| database file | {speed['file_to_text']:.2f} of the text it holds |" in README
    avx2 = json.loads((ROOT / "docs/results/speed-avx2.json").read_text())["figures"]
    told = (
        f"in {avx2['write_one_ms']['p50']:.1f} ms, {avx2['write_batch_turns_per_s']:.0f} a second "
        f"in batches, recalled in {avx2['recall_ms']['10000']['p50']:.0f} ms and expanded "
        f"{avx2['expand_tokens_per_s']:,.0f} tokens/s"
    )
    assert told in " ".join(README.split())
    again = f"{speed['recall_again_ms']['10000']['p50']:.1f} ms (p50)"
    assert f"| the same once more, its texts at hand | {again} |" in README
    assert f"| `import r3mem_agents` | {speed['import_s_median']:.2f} s |" in README
    assert f"| wheel, with the model | {speed['wheel_bytes'] / 1e6:.1f} MB |" in README


def test_scale_is_that_of_the_results() -> None:
    figures = json.loads((ROOT / "docs/results/scale.json").read_text())["figures"]
    many = figures["many_users"]["r3mem"]
    told = (
        f"one file of {many['disk_bytes'] / 1e6:,.1f} MB: the first lookup of a user takes "
        f"{many['first_lookup_ms']['p50']:,.0f} ms (p50), with "
        f"{many['peak_memory_bytes'] / 1e6:,.0f} MB"
    )
    assert told in " ".join(README.split())
    for row in figures["one_user"]:
        line = next(one for one in README.splitlines() if one.startswith(f"| {row['turns']:,} | "))
        cells = [cell.strip() for cell in line.split("|")[2:-1]]
        for name, cell in zip(("r3mem", "bm25", "minilm"), (cells[0], *cells[2:]), strict=True):
            if name in row:
                took, peak = row[name]["lookup_ms"]["p50"], row[name]["peak_memory_bytes"] / 1e6
                assert cell == f"{took:,.{1 if took < 10 else 0}f} ms, {peak:,.0f} MB"
        mine = row["r3mem"]
        first = mine["open_ms"] + mine["first_lookup_ms"]["p50"]
        assert cells[1] == f"{mine['disk_bytes'] / 1e6:,.1f} MB; {first:,.0f} ms"


def test_what_lookups_find_is_that_of_the_results() -> None:
    systems = json.loads((ROOT / "docs/results/recall.json").read_text())["figures"]["systems"]
    mem0 = {"mem0": "mem0 without a language model, same encoder"}
    for name, label in (SYSTEMS | mem0).items():
        row = next(line for line in README.splitlines() if line.startswith(f"| {label} |"))
        every = systems[name]["overall"]
        found = [every["recall@5"], every["recall@10"]]
        found += [systems[name]["by_category"][each]["recall@5"] for each in CATEGORIES]
        assert re.findall(r"0\.\d{3}", row) == [f"{one['value']:.3f}" for one in found]


def test_what_meetings_give_is_that_of_the_results() -> None:
    told = (ROOT / "docs/recall.md").read_text().split("demo's meetings\n")[1]
    result = json.loads((ROOT / "docs/results/recall-meetings.json").read_text())["figures"]
    for system, label in SYSTEMS.items():
        row = next(line for line in told.splitlines() if line.startswith(f"| {label} |"))
        overall = result["systems"][system]["overall"]
        found = [overall[f"recall@{depth}"]["value"] for depth in (5, 10, 20)]
        assert re.findall(r"0\.\d{3}", row) == [f"{one:.3f}" for one in found]


def test_the_newest_counts_as_told(tmp_path: Path) -> None:
    shape = r'The newest counts: after "(.*?)" and "(.*?)", "(.*?)".*?"(.*?)" finds'
    said = re.search(shape, README, re.DOTALL)
    assert said is not None
    old, new, now, before = (" ".join(words.split()) for words in said.groups())
    with CompressiveMemory(tmp_path / "a.db", user="alice") as memory:
        turns = [
            memory.remember("user", text, time=datetime(2026, 1, day, tzinfo=UTC))
            for day, text in enumerate((f"{old}.", "We adopted a cat.", f"{new}."), 1)
        ]
        first, second = memory.recall(now, k=2)
        assert (first.turn_id, second.turn_id) == (turns[2].id, turns[0].id)
        assert second.superseded_by == first.turn_id
        assert memory.recall(before, k=1)[0].turn_id == turns[0].id


def test_what_holds_elsewhere_supersedes_nothing(tmp_path: Path) -> None:
    with CompressiveMemory(tmp_path / "a.db", user="alice") as memory:
        for day, where in enumerate(("at home is hunter2", "at work is swordfish"), 1):
            time = datetime(2026, 1, day, tzinfo=UTC)
            memory.remember("user", f"The wifi password {where}.", time=time)
        hits = memory.recall("What's the wifi password at home?")
        assert "hunter2" in hits[0].text
        assert not any(hit.superseded_by for hit in hits)


def test_everyday_facts_are_those_of_the_results() -> None:
    told = (ROOT / "docs/recall.md").read_text().split("## On everyday facts and updates\n")[1]
    told = told.split("\n## ")[0]
    result = json.loads((ROOT / "docs/results/recall-sets.json").read_text())["figures"]["systems"]
    tables = told.split("In nine other languages")
    labels = SYSTEMS | {
        "ngrams": "BM25 over character n-grams",
        "bm25+minilm": "BM25 + all-MiniLM-L6-v2",
    }
    for system, found in result.items():
        row = next(r for r in tables[0].splitlines() if r.startswith(f"| {labels[system]} |"))
        facts, updates = (found["by_source"][name] for name in ("facts-en", "updates-en"))
        figures = [facts[f"recall@{k}"] for k in (1, 3, 5)] + [updates["recall@5"]]
        assert re.findall(r"0\.\d{3}", row) == [f"{one['value']:.3f}" for one in figures]
    for source in result["r3mem"]["by_source"]:
        if source.startswith("facts-") and source != "facts-en":
            row = next(r for r in tables[1].splitlines() if r.startswith(f"| {source[6:]} |"))
            systems = [result[name]["by_source"][source] for name in ("r3mem", "ngrams", "minilm")]
            assert re.findall(r"0\.\d{3}", row) == [
                f"{one['recall@5']['value']:.3f}" for one in systems
            ]
    before = {name: found["before_rivals"] for name, found in result.items()}
    kinds = {kind: one["value"] for kind, one in before["r3mem"]["by_category"].items()}
    silence = result["r3mem"]["silence"]["overall"]
    told_last = tables[1].split("Where a question asks")[1]
    both_hold, past = kinds.pop("negative"), kinds.pop("update-past")
    assert re.findall(r"0\.\d{3}", told_last) == [
        f"{one:.3f}"
        for one in (
            min(kinds.values()), max(kinds.values()), past, both_hold,
            before["r3mem"]["overall"]["value"], before["minilm"]["overall"]["value"],
            silence["unanswerable"]["value"], silence["wrong_conversation"]["value"],
            silence["answered"]["value"],
        )
    ]  # fmt: skip


def test_ablations_are_those_of_the_results() -> None:
    told = (ROOT / "docs/recall.md").read_text().split("## On LoCoMo")[1].splitlines()
    figures = json.loads((ROOT / "docs/results/recall.json").read_text())["figures"]
    rows = figures["added"] | {name: row["lost"] for name, row in figures["ablation"].items()}
    for name, lead in rows.items():
        every = lead["overall"]["recall@5"]
        found = [every["value"], every["low"], every["high"]]
        found += [lead["by_category"][each]["recall@5"]["value"] for each in CATEGORIES]
        line = next(one for one in told if one.startswith(f"| {name} |"))
        assert re.findall(r"[+-]0\.\d{3}", line) == [f"{one:+.3f}" for one in found]


def test_the_demo_shown_is_the_demo_kept() -> None:
    shown = re.search(r"```text\n(.*?)\n\.\.\.\n```", README, re.DOTALL)
    assert shown is not None
    assert shown.group(1) in (ROOT / "docs/results/demo.txt").read_text()
