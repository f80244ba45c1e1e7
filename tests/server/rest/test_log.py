from __future__ import annotations

from pathlib import Path

from r3mem_agents import CompressiveMemory
from tests.server.running import serving


def test_the_log_is_that_of_the_one_who_asks(tmp_path: Path, checkpoint: Path) -> None:
    path = tmp_path / "memory.db"
    with CompressiveMemory(path, model=checkpoint) as memory:
        memory.keep_log(True)
    with serving(path, checkpoint) as server, server.client() as client:
        [turn] = client.post(
            "/v1/turns",
            params={"user": "ann"},
            json={"turns": [{"role": "user", "text": "A secret word: Zanzibar."}]},
        ).json()["turns"]
        answer = client.get("/v1/log", params={"user": "ann"})
        [entry] = answer.json()
        assert (entry["verb"], entry["turn_ids"], entry["door"]) == (
            "remember",
            [turn["id"]],
            "rest",
        )
        assert "Zanzibar" not in answer.text
        assert client.get("/v1/log", params={"user": "bob"}).json() == []
