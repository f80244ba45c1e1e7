from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.server.running import Server

TEXTS = ["My dog is called Biscuit.", "", "  two\nlines ", "naïve 🐕 \x00 Ω", "日本語"]


def remember(client: httpx.Client, *texts: str, **more: Any) -> list[dict[str, Any]]:
    turns = [{"role": "user", "text": text, **more} for text in texts]
    answer = client.post("/v1/turns", json={"turns": turns})
    assert answer.status_code == 201, answer.text
    return list(answer.json()["turns"])


def test_turns_come_back_as_they_were_sent(client: httpx.Client) -> None:
    sent = {
        "role": "assistant",
        "text": "See you at ten.",
        "name": "Ann",
        "session": "a/b",
        "time": "2026-11-20T09:30:00+01:00",
        "metadata": {"n": [1, None, "é"]},
        "key": "m1",
    }
    [made] = client.post("/v1/turns", json={"turns": [sent]}).json()["turns"]
    assert {name: made[name] for name in sent} == sent
    assert client.get(f"/v1/turns/{made['id']}").json() == made
    assert client.get("/v1/turns", params={"session": "a/b"}).json()["turns"] == [made]
    assert client.get("/v1/summary", params={"session": "a/b"}).json()["turns"] == [made]


def test_every_text_comes_back_byte_for_byte(client: httpx.Client) -> None:
    made = remember(client, *TEXTS)
    assert [turn["text"] for turn in made] == TEXTS
    assert client.get("/v1/turns").json() == {"turns": made, "next": None}


@pytest.mark.parametrize("way", ["before", "after"])
def test_pages_together_are_the_history(client: httpx.Client, way: str) -> None:
    made = remember(client, *(f"turn {number}" for number in range(7)))
    found: list[dict[str, Any]] = []
    end = {"after": 0} if way == "after" else {}
    while True:
        page = client.get("/v1/turns", params={"limit": 3, **end}).json()
        assert len(page["turns"]) <= 3
        found = found + page["turns"] if way == "after" else page["turns"] + found
        if page["next"] is None:
            break
        end = {way: page["next"]}
    assert found == made


@pytest.mark.parametrize("way", ["before", "after"])
def test_long_turns_make_short_pages(client: httpx.Client, way: str) -> None:
    ids = []
    for number in range(3):
        texts = [f"{number} {'ab' * 50_000}" for _ in range(30)]
        ids += [turn["id"] for turn in remember(client, *texts)]
    first = client.get(
        "/v1/turns", params={"limit": 1000} | ({"after": 0} if way == "after" else {})
    )
    page = first.json()
    found = [turn["id"] for turn in page["turns"]]
    assert 40 <= len(found) < len(ids)
    rest = client.get("/v1/turns", params={"limit": 1000, way: page["next"]}).json()
    others = [turn["id"] for turn in rest["turns"]]
    assert (found + others if way == "after" else others + found) == ids
    assert rest["next"] is None


def test_a_key_makes_a_request_repeatable(client: httpx.Client) -> None:
    assert remember(client, "once", key="m1") == remember(client, "once", key="m1")
    assert len(client.get("/v1/turns").json()["turns"]) == 1


def test_sessions_say_when_they_were(client: httpx.Client) -> None:
    times = [datetime.fromisoformat("2026-11-20T09:00:00Z") + timedelta(hours=n) for n in range(3)]
    for time in times:
        remember(client, "a", session="s1", time=time.isoformat())
    remember(client, "b", session="s2")
    first, second = client.get("/v1/sessions").json()
    assert (first["name"], first["turns"], second["name"]) == ("s1", 3, "s2")
    assert [datetime.fromisoformat(first[end]) for end in ("first", "last")] == [
        times[0],
        times[-1],
    ]


def test_a_lookup_says_why(client: httpx.Client) -> None:
    [dog, _] = remember(client, "My dog is called Biscuit.", "The train leaves at nine.")
    body = {"query": "What is my dog called?", "explain": True}
    found = client.post("/v1/recall", json=body).json()
    best = found["recalled"][0]
    assert best["turn"] == dog
    assert "dog" in best["explanation"]["said"]
    assert best["explanation"]["log_odds"] == pytest.approx(
        sum(level["log_odds"] for level in best["explanation"]["evidence"].values())
    )
    assert found["explanation"]["sureness"] == best["score"]
    text = client.post("/v1/context", json={"query": "What is my dog called?"}).json()["text"]
    assert "My dog is called Biscuit." in text


@pytest.mark.parametrize("text", [*TEXTS, "word " * 5000], ids=range(6))
def test_the_parts_of_a_turn_are_its_text(client: httpx.Client, text: str) -> None:
    [made] = remember(client, text)
    parts = client.get(f"/v1/turns/{made['id']}/tokens").json()
    assert "".join(part["text"] for part in parts) == text
    assert all(part["bits"] >= 0 for part in parts)


def test_a_change_keeps_id_place_and_time(client: httpx.Client) -> None:
    made, other = remember(client, "My dog is called Biscuit.", "Good.")
    body = {"text": "My dog is called Rex.", "keep_versions": True, "pinned": True}
    changed = client.patch(f"/v1/turns/{made['id']}", json=body).json()
    assert changed == made | {"text": body["text"], "pinned": True}
    assert client.get("/v1/turns").json()["turns"] == [changed, other]
    [version] = client.get(f"/v1/turns/{made['id']}/versions").json()
    assert (version["id"], version["text"]) == (made["id"], made["text"])
    asked = {"query": "What is my dog called?"}
    assert "Rex" in client.post("/v1/context", json={"query": "trains"}).json()["text"]
    assert client.post("/v1/recall", json=asked).json()["recalled"][0]["turn"] == changed
    then = asked | {"as_of": made["time"]}
    found = client.post("/v1/recall", json=then).json()["recalled"]
    assert found[0]["turn"]["text"] == made["text"]
    unpinned = client.patch(f"/v1/turns/{made['id']}", json={"pinned": False}).json()
    assert unpinned == changed | {"pinned": False}
    assert client.patch(f"/v1/turns/{made['id']}", json={}).status_code == 422


def test_who_changes_two_things_is_answered_with_both(client: httpx.Client) -> None:
    [made] = remember(client, "My dog is called Biscuit.")

    def change(number: int) -> tuple[bool, dict[str, Any]]:
        body = {"text": f"My dog is called Rex {number}.", "pinned": bool(number % 2)}
        answer = client.patch(f"/v1/turns/{made['id']}", json=body).json()
        return answer == made | body, answer

    with ThreadPoolExecutor(8) as pool:
        right, answers = zip(*pool.map(change, range(24)), strict=True)
    assert all(right)
    assert client.get("/v1/turns").json()["turns"][0] in answers


@pytest.mark.parametrize("name", [".", "..", "a/b", "/", "a\nb", "a/summary", "%2F", " é?&#"])
def test_sessions_of_any_name_have_a_summary(client: httpx.Client, name: str) -> None:
    made = remember(client, "My dog is called Biscuit.", session=name)
    asked = {"session": name}
    assert client.get("/v1/summary", params=asked).json()["turns"] == made
    assert client.get("/v1/turns", params=asked).json()["turns"] == made
    assert client.get("/v1/summary", params={"session": f"{name}x"}).status_code == 404


def test_turns_expire(client: httpx.Client) -> None:
    later = remember(client, "a", expires="P30D")[0]
    assert datetime.fromisoformat(later["expires"]) > datetime.now(UTC) + timedelta(days=29)
    gone = remember(client, "b", expires="2020-01-01T00:00:00Z")
    assert client.get("/v1/turns").json()["turns"] == [later]
    assert client.get(f"/v1/turns/{gone[0]['id']}").status_code == 404
    for number in (3600, "3600", "3.6e3"):
        turns = {"turns": [{"role": "user", "text": "c", "expires": number}]}
        assert "P30D" in client.post("/v1/turns", json=turns).json()["error"]["message"]


def test_a_lookup_takes_conditions(client: httpx.Client) -> None:
    for channel in ("mail", "chat"):
        remember(client, "My dog is called Biscuit.", metadata={"channel": channel})
    body = {"query": "What is my dog called?", "where": {"metadata.channel": "mail"}}
    [hit] = client.post("/v1/recall", json=body).json()["recalled"]
    assert hit["turn"]["metadata"] == {"channel": "mail"}
    body["where"] = {"no.such": 1}
    assert client.post("/v1/recall", json=body).status_code == 422


def test_what_is_forgotten_is_gone(client: httpx.Client) -> None:
    kept, gone = remember(client, "kept", "gone")
    receipt = client.post("/v1/forget", json={"turn_ids": [gone["id"]]}).json()
    assert (receipt["turns"], receipt["turn_ids"]) == (1, [gone["id"]])
    assert client.get("/v1/turns").json()["turns"] == [kept]
    assert client.get(f"/v1/turns/{gone['id']}").status_code == 404
    assert client.get("/v1/stats").json()["turns"] == 1


def test_a_local_request_chooses_its_user(local: Server) -> None:
    with local.client() as client:
        remember(client, "hello")
        params = {"user": "zoë", "agent": "planner"}
        assert client.get("/v1/me", params=params).json() == params | {"users": True}
        assert client.get("/v1/turns", params=params).json()["turns"] == []
        assert any(one["user"] == "default" for one in client.get("/v1/users").json())
        assert client.get("/v1/me", params={"user": " "}).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "name"),
    [
        ("GET", "/v1/nothing", None, 404, "NotFoundError"),
        ("GET", "/v1/turns/77", None, 404, "NotFoundError"),
        ("GET", f"/v1/turns/{10**30}", None, 404, "NotFoundError"),
        ("GET", "/v1/turns/x", None, 422, "InvalidInputError"),
        ("GET", "/v1/turns?limit=0", None, 422, "InvalidInputError"),
        ("DELETE", "/v1/turns", None, 405, "InvalidInputError"),
        ("POST", "/v1/turns", "{", 422, "InvalidInputError"),
        ("POST", "/v1/turns", "[" * 10_000, 422, "InvalidInputError"),
        ("POST", "/v1/turns", b"\xff", 422, "InvalidInputError"),
        ("POST", "/v1/turns", {"turns": []}, 422, "InvalidInputError"),
        ("POST", "/v1/turns", {"turns": [{"role": "user"}]}, 422, "InvalidInputError"),
        ("POST", "/v1/turns", {"turns": [{"role": "", "text": ""}]}, 422, "InvalidInputError"),
        ("POST", "/v1/turns", '{"turns": [{"role": "a", "text": "\\ud800"}]}', 422, ""),
        ("POST", "/v1/recall", {"query": "x", "k": 1001}, 422, "InvalidInputError"),
        ("POST", "/v1/recall", {"query": "x", "kk": 1}, 422, "InvalidInputError"),
        ("POST", "/v1/recall", '{"query": "x", "\\ud800": 1}', 422, "InvalidInputError"),
        ("POST", "/v1/recall", {"query": "x", "sessions": ["no"]}, 404, "NotFoundError"),
        ("POST", "/v1/recall", {"query": "x", "since": "2026-11-20T09:30"}, 422, ""),
        ("POST", "/v1/context", {"query": "x", "token_budget": 0}, 422, "InvalidInputError"),
        ("POST", "/v1/forget", {}, 422, "InvalidInputError"),
        ("POST", "/v1/forget", {"turn_ids": [77]}, 404, "NotFoundError"),
    ],
)
def test_every_error_has_a_name_and_advice(
    client: httpx.Client, method: str, path: str, body: Any, status: int, name: str
) -> None:
    raw = isinstance(body, str | bytes)
    path, _, query = path.partition("?")
    answer = client.request(
        method,
        path,
        params=httpx.QueryParams(query),
        headers={"Content-Type": "application/json"} if raw else {},
        **({"content": body} if raw else {"json": body}),
    )
    assert answer.status_code == status
    [told] = answer.json().values()
    assert told["name"] == (name or "InvalidInputError")
    assert told["message"]
    assert not {"Traceback", "/", ".py"} & {*told["message"].replace("/openapi.json", "").split()}
