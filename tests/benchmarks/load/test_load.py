from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks.app import app
from benchmarks.load.clients import Client, run_all
from benchmarks.load.doors import Answer
from r3mem_agents.testing import tiny_model


class Faulty:
    """A door to a memory that loses every third turn, and shows what another user said."""

    def __init__(self, foreign: str) -> None:
        self.turns: dict[int, str] = {}
        self.foreign = foreign

    def remember(self, session: str, text: str) -> Answer:
        id = len(self.turns) + 1
        self.turns[id] = text if id % 3 else text + " "
        return Answer(text, [(id, text)])

    def recall(self, query: str) -> Answer:
        return Answer(self.foreign)

    def context(self, query: str) -> Answer:
        raise TimeoutError

    def history(self, session: str) -> Answer:
        return Answer("")

    def forget(self, turn: int) -> Answer:
        return Answer("")

    def everything(self, session: str) -> Answer:
        return Answer("", [*self.turns.items()])

    def close(self) -> None:
        pass


def test_what_is_lost_and_crossed_is_counted() -> None:
    client = Client(Faulty("u2: secret"), "u1", ["u2"], "s", ["It barks.", "It sleeps."], seed=0)
    seen, _ = run_all([client], 0.2, lambda stage, count: None)
    forgotten = len(seen.times_ms["forget"])
    assert seen.acknowledged // 3 - forgotten <= seen.lost <= seen.acknowledged // 3 + forgotten
    assert seen.lost > 0
    assert seen.crossed == len(seen.times_ms["recall"]) > 0
    assert {*seen.errors} == {"context: TimeoutError"}


def test_a_server_loses_and_crosses_nothing(tmp_path: Path) -> None:
    tiny_model().save_pretrained(tmp_path / "tiny")
    options = ["--minutes", "0.03", "--clients", "6", "--users", "3"]
    places = ["--model", str(tmp_path / "tiny"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, ["load", *options, *places, "--json"])
    assert done.exit_code == 0, done.stderr
    for figures in json.loads(done.stdout)["figures"].values():
        assert figures["acknowledged"] > 0
        assert (figures["lost"], figures["crossed"], figures["errors"]) == (0, 0, {})
        assert figures["requests"] == sum(one["requests"] for one in figures["verbs"].values())
