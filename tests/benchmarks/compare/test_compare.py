from __future__ import annotations

import ast
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks.app import app
from benchmarks.compare import build, measure, peers, report
from benchmarks.compare.plan import Inputs, Plan
from benchmarks.compare.workers import Build, started
from benchmarks.errors import BenchmarkError
from r3mem_agents import CompressiveMemory, ReversibleModel
from r3mem_agents.model import MemoryTokens

TEXTS = ["The dog is called Biscuit.", "We meet on Friday.", "Lisbon was warm."]


@pytest.fixture
def small(model: ReversibleModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tiny model in the place of the build's own."""
    cached = (build.repeating, build.memory)
    for one in cached:
        one.cache_clear()
    monkeypatch.setattr(build, "model", lambda: model)
    yield
    for one in cached:
        one.cache_clear()


def said(texts: list[str]) -> list[dict[str, str]]:
    return [{"role": "user", "session": "s", "text": text} for text in texts]


def test_a_build_is_measured_without_anything_else_of_the_project() -> None:
    tree = ast.parse(Path(build.__file__).read_text(encoding="utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    roots = {str(name).partition(".")[0] for name in names}
    assert roots - set(sys.stdlib_module_names) == {"r3mem_agents"}


def test_each_text_is_compressed_and_expanded_once(model: Any) -> None:
    repeating = build.Repeating(model)
    assert repeating.gist_bytes == model.gist_bytes
    texts = ["One.", "Two.", "One."]
    tokens = repeating.compress(texts)
    assert tokens == model.compress(texts)
    assert repeating.expand(tokens) == texts
    repeating._model = None
    assert repeating.expand(repeating.compress(["Two.", "One."])) == ["Two.", "One."]


@pytest.mark.usefixtures("small")
def test_a_filled_memory_repeats_its_turns_in_other_sessions(
    tmp_path: Path, model: ReversibleModel
) -> None:
    path = str(tmp_path / "m.db")
    build.fill(path, said(TEXTS), 7)
    with CompressiveMemory(path, model=model) as memory:
        assert [turn.text for turn in memory.history("s, 1")] == TEXTS
        assert memory.sessions() == ["s, 0", "s, 1", "s, 2"]
        assert memory.stats().turns == 7


@pytest.mark.usefixtures("small")
def test_every_question_is_timed_with_its_expansions_and_without(
    tmp_path: Path, model: ReversibleModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, asked = str(tmp_path / "m.db"), ["Biscuit", "Lisbon"]
    build.fill(path, said(TEXTS), 3)
    build.memory(path)
    expand, expanded = type(model).expand, []

    def noted(self: ReversibleModel, tokens: Sequence[MemoryTokens]) -> list[str]:
        expanded.append(tokens)
        return expand(self, tokens)

    monkeypatch.setattr(type(model), "expand", noted)
    times = build.look_up(path, asked)
    assert [len(times[name]) for name in ("first", "again")] == [len(asked)] * 2
    expanded_again, expanded[:] = len(expanded), []
    build.memory(path).recall(asked[-1])
    assert (expanded_again > 0, expanded) == (True, [])


@pytest.mark.usefixtures("small")
def test_writes_and_expansions_are_timed(tmp_path: Path) -> None:
    path = str(tmp_path / "m.db")
    assert len(build.write_each(path, said(TEXTS))) == len(TEXTS)
    assert build.write_batch(path, said(TEXTS)) > 0
    found = build.expand(TEXTS)
    assert found["bytes"] == sum(map(len, TEXTS))
    assert found["tokens"] > 0


def test_requests_are_answered_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = io.StringIO()
    requests = [{"stage": "double", "number": number} for number in (2, 3)]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(map(json.dumps, requests))))
    monkeypatch.setattr(sys, "stdout", answers)
    build.serve({"double": lambda number: 2 * number})
    assert answers.getvalue() == "4\n6\n"


def test_a_worker_that_ends_is_named() -> None:
    with (
        started([sys.executable, "-c", ""], {}, "the build of yesterday") as worker,
        pytest.raises(BenchmarkError, match="the build of yesterday ended at 'expand'"),
    ):
        worker.ask("expand")


def test_a_command_from_the_shell_is_timed_or_its_error_told() -> None:
    mine = Build("now", Path(sys.executable))
    assert mine.shell({}, "--version") > 0
    with pytest.raises(BenchmarkError, match="r3mem of the now build failed: .*no-such"):
        mine.shell({}, "recall", "--db", "no-such.db", "what?")


def test_peers_return_the_texts_that_answer(tmp_path: Path) -> None:
    texts = [*TEXTS, "Nothing.", "Nothing else."]
    for search in (peers.bm25(texts), peers.fts5(texts, str(tmp_path / "fts.db"))):
        assert search("What is the dog called?")[0] == texts[0]


class Stub(Build):
    """A build whose later one is four times as fast, and that notes when it is asked."""

    asked: list[str] = []  # noqa: RUF012

    @contextmanager
    def worker(self, withheld: Mapping[str, str]) -> Iterator[Any]:
        yield self

    def ask(self, stage: str, **arguments: Any) -> Any:
        self.asked.append(self.name)
        slow = 8.0 if self.name == "earlier" else 2.0
        return {
            "products": self.name,
            "expand": {"tokens": 10, "bytes": 40, "ms": slow},
            "look_up": {"first": [slow], "again": [1.0]},
            "write_each": [slow],
        }.get(stage, slow)

    def shell(self, withheld: Mapping[str, str], *arguments: str) -> float:
        return float(self.ask("shell"))


class Beside:
    """Peers that answer at once."""

    def ask(self, stage: str, **_: Any) -> Any:
        return {"minilm": [4.0]} if stage == "look_up" else None


@pytest.fixture
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    @contextmanager
    def beside(_: Mapping[str, str]) -> Iterator[Beside]:
        yield Beside()

    monkeypatch.setattr(measure, "peers", beside)
    monkeypatch.setattr(Stub, "asked", [])
    plan = Plan(turns=100, many=100, rounds=2)
    builds = [Stub(name, Path("python")) for name in ("earlier", "now")]
    steps: list[int] = []
    found = measure.measure(builds, plan, Inputs.of(plan), tmp_path, {}, lambda: steps.append(1))
    assert len(steps) == measure.steps(builds, plan, 1) - 3 * len(builds)
    return found


def test_builds_take_turns_and_change_their_order(figures: dict[str, Any]) -> None:
    half = len(Stub.asked[2:]) // 2
    first, second = Stub.asked[2:][:half], Stub.asked[2:][half:]
    assert first[:2] == ["earlier", "now"]
    assert second[:2] == ["now", "earlier"]
    assert sorted(first) == sorted(second)


def test_ratios_are_of_the_later_build_to_the_earlier(figures: dict[str, Any]) -> None:
    assert figures["expand_tokens_per_s"]["ratio"] == 4
    assert figures["recall_ms"]["ratio"] == 0.25
    assert figures["meetings_ms"]["minilm"] == {"median": 4, "best": 4}


def test_the_best_is_the_highest_rate_and_the_shortest_time() -> None:
    rounds = {"earlier": [[1.0, 2.0, 3.0], [5.0]], "now": [[4.0], [6.0]]}
    assert measure.summary(rounds, "write_ms")["earlier"] == {"median": 2.5, "best": 2}
    assert measure.summary(rounds, "write_turns_per_s")["earlier"]["best"] == 5
    assert measure.summary(rounds, "write_ms")["ratio"] == 2


def test_the_tables_show_both_builds_and_the_peers(figures: dict[str, Any]) -> None:
    sizes = {"earlier": 8e6, "now": 2e6, "ratio": 0.25}
    console = Console(file=io.StringIO(), width=120)
    report.show(console, {"installed_bytes": sizes, "modes": {"without_vnni": figures}})
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "without vnni" in shown
    assert "installed bytes" in shown
    assert "minilm 4.00 ms" in shown


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["compare", str(tmp_path / "none"), sys.executable])
    assert found.exit_code == 1
    assert str(tmp_path / "none") in found.output.replace("\n", "")
