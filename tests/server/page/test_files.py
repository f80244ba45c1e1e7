"""The page's files: served with their policy, and none refers to anything outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from r3mem_agents.server.page.files import FOLDER, HEADERS, Page

FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*"))
SVG_NAMESPACE = "http://www.w3.org/2000/svg"


@pytest.fixture
def client() -> TestClient:
    return TestClient(Page())


@pytest.mark.parametrize("name", ["", *FILES])
def test_each_comes_with_the_policy_and_its_type(client: TestClient, name: str) -> None:
    answer = client.get(f"/{name}")
    assert answer.status_code == 200
    assert {key: answer.headers[key] for key in HEADERS} == dict(HEADERS)
    kinds = {"": "text/html", ".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
    assert answer.headers["Content-Type"].startswith(kinds.get(Path(name).suffix, "image/svg+xml"))
    again = client.get(f"/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert again.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


def test_no_file_names_another_server() -> None:
    for name in FILES:
        text = (FOLDER / name).read_text(encoding="utf-8").replace(SVG_NAMESPACE, "")
        assert not re.search(r"https?:|//[\w-]+\.\w", text), name


def test_every_file_is_used_and_every_use_is_a_file() -> None:
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    used = {"index.html", *re.findall(r'(?:href|src)="([^"#]+)"', page)}
    for name in FILES:
        if name.endswith(".js"):
            text = (FOLDER / name).read_text(encoding="utf-8")
            used |= {f"js/{module}" for module in re.findall(r'from "\./([^"]+)"', text)}
    assert used == set(FILES)


def test_no_script_reads_a_string_as_markup_or_code() -> None:
    for path in FOLDER.rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|Function\(", text
        )
