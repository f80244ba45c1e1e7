"""Users never see each other, whatever they ask, in whatever order."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from r3mem_agents.memory.handle import OpenFile
from r3mem_agents.server.tokens import Tokens
from tests.server.running import client_of, serving

NUMBERS = itertools.count()
USERS = st.integers(0, 2)
VERBS = st.sampled_from(
    [
        "remember",
        "remember",
        "remember",
        "edit",
        "change",
        "forget",
        "steal",
        "ask",
        "look",
        "everything",
    ]
)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Iterator[tuple[Path, str]]:
    """A file that two processes serve to tokens only, and where."""
    db = tmp_path_factory.mktemp("team") / "team.db"
    with closing(OpenFile(db, str(checkpoint))) as file:
        Tokens(file).add("admin", "default")
    with serving(db, checkpoint, "--workers", "2", "--rate", "100000/second") as server:
        yield db, server.url


@pytest.fixture(scope="module")
def tokens(team: tuple[Path, str], checkpoint: Path) -> Iterator[Tokens]:
    with closing(OpenFile(team[0], str(checkpoint))) as file:
        yield Tokens(file)


@dataclass
class Person:
    """A user, the word that all they write has, and what should be remembered of them."""

    word: str
    client: httpx.Client
    others: list[str] = field(default_factory=list)
    turns: dict[int, dict[str, Any]] = field(default_factory=dict)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask, and see that nobody else's word is in the answer."""
        answer = self.client.request(method, path, **more)
        whole = answer.text + str(answer.headers)
        assert not [word for word in self.others if word in whole], path
        return answer

    def remember(self, number: int, key: str | None = None) -> None:
        """Store a turn in which every field has the word."""
        turn = {
            "role": f"role {self.word}",
            "text": f"My dog is called {self.word} {number}.",
            "name": f"name {self.word}",
            "session": f"session {self.word} {number % 2}",
            "metadata": {self.word: self.word},
            "key": key and f"{key} {self.word}",
        }
        [made] = self.ask("POST", "/v1/turns", json={"turns": [turn]}).json()["turns"]
        assert made | turn == made
        self.turns[made["id"]] = made

    def check(self) -> None:
        """See that what is remembered is what was stored, and nothing else."""
        mine = [self.turns[id] for id in sorted(self.turns)]
        assert self.ask("GET", "/v1/turns", params={"limit": 1000}).json()["turns"] == mine
        sessions = {turn["session"] for turn in mine}
        assert {one["name"] for one in self.ask("GET", "/v1/sessions").json()} == sessions
        assert self.ask("GET", "/v1/stats").json()["turns"] == len(mine)
        assert self.ask("GET", "/v1/me").json()["user"] == f"user {self.word}"

    def look(self) -> None:
        """Ask about everybody."""
        for query in ("What is the dog called?", " ".join(self.others)):
            body = {"query": query, "k": 100, "explain": self.others[0] not in query}
            found = self.ask("POST", "/v1/recall", json=body).json()["recalled"]
            assert {hit["turn"]["id"] for hit in found} <= self.turns.keys()
            self.ask("POST", "/v1/context", json={"query": query})
        for number in range(2):
            name = f"session {self.word} {number}"
            self.ask("GET", "/v1/summary", params={"session": name})
        self.ask("GET", "/v1/users")

    def steal(self, ids: list[int], word: str) -> None:
        """Use ids and sessions of another, who has a word, as if they were one's own."""
        unknown = 2**40
        for id in ids:
            for method, path, body in (
                ("GET", "/v1/turns/{}", None),
                ("GET", "/v1/turns/{}/tokens", None),
                ("GET", "/v1/turns/{}/versions", None),
                ("PATCH", "/v1/turns/{}", {"text": "stolen", "pinned": True}),
                ("PATCH", "/v1/turns/{}", {"pinned": True}),
                ("POST", "/v1/forget", {"turn_ids": [id]}),
                ("GET", "/v1/turns?before={}", None),
            ):
                theirs = self.ask(method, path.format(id), json=body)
                same = body and (body | {"turn_ids": [unknown]} if "turn_ids" in body else body)
                none = self.ask(method, path.format(unknown), json=same)
                if "before" not in path:
                    assert theirs.status_code == none.status_code == 404
                    assert theirs.text.replace(str(id), "ID") == none.text.replace(
                        str(unknown), "ID"
                    )
        their_session, unknown_session = f"session {word} 0", "session of nobody"
        told = [
            self.client.post(path, json={"query": "dog", "sessions": [session]})
            for path in ("/v1/recall", "/v1/context")
            for session in (their_session, unknown_session)
        ] + [
            self.client.post("/v1/forget", json={"session": session})
            for session in (their_session, unknown_session)
        ]
        for one, other in zip(told[::2], told[1::2], strict=True):
            assert one.status_code == other.status_code == 404
            assert one.text.replace(their_session, "S") == other.text.replace(unknown_session, "S")


@settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(USERS, VERBS), min_size=5, max_size=25))
def test_users_never_see_each_other(
    team: tuple[Path, str], tokens: Tokens, steps: list[tuple[int, str]]
) -> None:
    words = [f"w{next(NUMBERS)}x{name}" for name in ("ada", "bob", "cid")]
    with ExitStack() as clients:
        people = [
            Person(
                word,
                clients.enter_context(client_of(team[1], tokens.add(f"user {word}", "default"))),
                [other for other in words if other != word],
            )
            for word in words
        ]
        for number, (who, verb) in enumerate(steps):
            _step(people[who], people[(who + 1) % 3], number, verb)
        for person in people:
            person.check()
            person.look()


def _step(person: Person, other: Person, number: int, verb: str) -> None:
    match verb:
        case "remember":
            person.remember(number)
        case "edit":
            person.remember(number, key="same")
        case "change" if person.turns:
            id = max(person.turns)
            body = {"text": f"{person.word} changed {number}", "keep_versions": True}
            person.turns[id] = person.ask("PATCH", f"/v1/turns/{id}", json=body).json()
            assert person.turns[id]["text"] == body["text"]
            assert person.ask("GET", f"/v1/turns/{id}/versions").json()
        case "forget" if person.turns:
            gone = min(person.turns)
            assert person.ask("POST", "/v1/forget", json={"turn_ids": [gone]}).is_success
            del person.turns[gone]
        case "everything":
            person.ask("POST", "/v1/forget", json={"everything": True})
            person.turns.clear()
        case "steal":
            person.steal(list(other.turns)[:2], other.word)
        case "ask":
            person.check()
        case "look":
            person.look()


def test_agents_of_a_user_are_kept_apart(team: tuple[Path, str], tokens: Tokens) -> None:
    both = [tokens.add("dora", agent) for agent in ("planner", "writer")]
    planner, writer = (client_of(team[1], one) for one in both)
    with planner, writer:
        planner.post("/v1/turns", json={"turns": [{"role": "user", "text": "a secret plan"}]})
        assert writer.get("/v1/turns").json()["turns"] == []
        assert planner.get("/v1/me").json() == {"user": "dora", "agent": "planner", "users": False}
        chosen = writer.get("/v1/turns", params={"user": "dora", "agent": "planner"})
        assert chosen.json()["turns"] == []


def test_a_removed_token_opens_nothing_in_any_process(
    team: tuple[Path, str], tokens: Tokens
) -> None:
    before = {one.id for one in tokens.list()}
    token = tokens.add("eve", "default")
    [id] = {one.id for one in tokens.list()} - before
    head = {"Authorization": f"Bearer {token}"}

    def asked() -> list[httpx.Response]:
        return [httpx.get(f"{team[1]}/v1/me", headers=head) for _ in range(8)]

    assert {one.status_code for one in asked()} == {200}
    tokens.remove(id)
    answers = asked()
    assert {one.status_code for one in answers} == {401}
    assert not re.search("eve|team", "".join(one.text for one in answers))
