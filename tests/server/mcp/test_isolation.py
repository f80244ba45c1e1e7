"""Users of one server never see each other through MCP, whatever they ask, in whatever order."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from r3mem_agents.memory.handle import OpenFile
from r3mem_agents.server.mcp.resources import SESSION, SESSIONS
from r3mem_agents.server.tokens import Tokens
from tests.server.running import client_of, serving

NUMBERS = itertools.count()
UNKNOWN = 2**40
NOBODYS = "session of nobody"
VERBS = ["remember"] * 3 + ["edit", "pin", "forget", "steal", "check", "look"]


@pytest.fixture(scope="module")
def team(
    tmp_path_factory: pytest.TempPathFactory, checkpoint: Path
) -> Iterator[tuple[str, Tokens]]:
    """Where two processes serve a file to tokens only, and its tokens."""
    db = tmp_path_factory.mktemp("team") / "team.db"
    with closing(OpenFile(db, str(checkpoint))) as file:
        tokens = Tokens(file)
        tokens.add("admin", "default")
        with serving(db, checkpoint, "--workers", "2", "--rate", "100000/second") as server:
            yield server.url, tokens


@dataclass
class Person:
    """A user, the word that all they say has, and what should be remembered of them, by id."""

    word: str
    client: httpx.Client
    others: list[str] = field(default_factory=list)
    turns: dict[int, str] = field(default_factory=dict)

    @property
    def session(self) -> str:
        return f"session {self.word}"

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask, and see that nobody else's word is in the answer."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        accept = {"Accept": "application/json"}
        answer = self.client.post(f"/mcp?user=user {self.others[0]}", json=body, headers=accept)
        assert answer.is_success
        asked = str(params)
        assert not [one for one in self.others if one in answer.text and one not in asked], params
        told: dict[str, Any] = answer.json()
        return told

    def call(self, tool: str, **arguments: Any) -> Any:
        """Call a tool that does what it should."""
        result = self.ask("tools/call", name=tool, arguments=arguments)["result"]
        assert not result["isError"], result
        return result["structuredContent"]

    def remember(self, number: int) -> None:
        """Say something in which every field has the word."""
        text = f"My dog is called {self.word} {number}."
        turn = {
            "text": text,
            "name": f"name {self.word}",
            "metadata": {self.word: self.word},
            "key": f"key {self.word} {number}",
        }
        [made] = self.call("remember", turns=[turn], session=self.session)["turns"]
        self.turns[made["id"]] = text

    def check(self) -> None:
        """See that what is remembered is what was said, and nothing else."""
        held = self.call("history", limit=100)["turns"]
        assert {turn["id"]: turn["text"] for turn in held} == self.turns
        names = [one["name"] for one in self.call("sessions")["sessions"]]
        assert names == ([self.session] if self.turns else [])
        listed = self.ask("resources/list")["result"]["resources"][1:]
        assert [one["name"] for one in listed] == names

    def look(self) -> None:
        """Ask about everybody."""
        for query in ("What is the dog called?", " ".join(self.others)):
            found = self.call("recall", query=query, k=50, explain=self.others[0] not in query)
            assert {hit["id"] for hit in found["turns"]} <= self.turns.keys()
            self.call("context", query=query)
            self.ask("prompts/get", name="use_memory", arguments={"question": query})
        self.ask("resources/read", uri=SESSIONS)
        ref = {"type": "ref/resource", "uri": SESSION}
        for begun in ("", "session "):
            argument = {"name": "name", "value": begun}
            told = self.ask("completion/complete", ref=ref, argument=argument)["result"]
            assert len(told["completion"]["values"]) == bool(self.turns)

    def steal(self, ids: list[int], session: str) -> None:
        """Use ids and a session of another one as if they were one's own."""
        for id in ids:
            for tool, arguments in (
                ("edit", {"turn_id": id, "text": "stolen"}),
                ("versions", {"turn_id": id}),
                ("pin", {"turn_ids": [id]}),
                ("forget", {"turn_ids": [id]}),
            ):
                self.same(tool, arguments, str(id), str(UNKNOWN))
        for tool in ("history", "summary", "forget"):
            self.same(tool, {"session": session}, session, NOBODYS)
        self.same("recall", {"query": "dog", "sessions": [session]}, session, NOBODYS)
        theirs, nobodys = (
            self.ask("resources/read", uri=f"{SESSIONS}/{quote(one)}")["error"]["message"]
            for one in (session, NOBODYS)
        )
        assert theirs.replace(session, NOBODYS) == nobodys

    def same(self, tool: str, arguments: dict[str, Any], theirs: str, nobodys: str) -> None:
        """See that what others have is refused as what nobody has."""
        unknown = json.loads(json.dumps(arguments).replace(theirs, nobodys))
        told = [self.ask("tools/call", name=tool, arguments=one) for one in (arguments, unknown)]
        assert all(one["result"]["isError"] for one in told), tool
        assert str(told[0]).replace(theirs, nobodys) == str(told[1])


@settings(max_examples=5, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(VERBS)), min_size=5, max_size=25))
def test_users_never_see_each_other(team: tuple[str, Tokens], steps: list[tuple[int, str]]) -> None:
    url, tokens = team
    words = [f"w{next(NUMBERS)}x{name}" for name in ("ada", "bob", "cid")]
    with ExitStack() as clients:
        people = [
            Person(
                word,
                clients.enter_context(client_of(url, tokens.add(f"user {word}", "default"))),
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
        case "edit" if person.turns:
            id, text = max(person.turns), f"{person.word} changed {number}"
            person.call("edit", turn_id=id, text=text, keep_versions=True)
            person.turns[id] = text
            assert person.call("versions", turn_id=id)["turns"]
        case "pin" if person.turns:
            person.call("pin", turn_ids=[max(person.turns)])
        case "forget" if person.turns:
            gone = min(person.turns)
            assert person.call("forget", turn_ids=[gone])["turn_ids"] == [gone]
            del person.turns[gone]
        case "steal" if other.turns:
            person.steal(list(other.turns)[:2], other.session)
        case "check":
            person.check()
        case "look":
            person.look()
