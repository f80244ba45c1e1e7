"""What files become: the text, the titles above it, the place; and what cannot be read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents import errors
from r3mem_agents.documents import Document, find_documents, read_document
from r3mem_agents.documents.document import Kind
from r3mem_agents.documents.html import html_text
from r3mem_agents.errors import DocumentError
from tests.documents.pdfs import pdf

GUIDE = """\
---
title: Guide
---

# The *Guide*

Read `me`.

## Install

Run it:

```sh
# no heading
```

Windows
-------

| a | b |
|---|---|
| 1 | 2 |

## End
"""


def _places(document: Document) -> list[tuple[str, int | None, str]]:
    return [(" > ".join(one.headings), one.line, one.text[:8]) for one in document.passages]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_markdown_has_its_headings(ends: str) -> None:
    document = Document.of_text("guide.md", GUIDE.replace("\n", ends), "markdown")
    assert [(one.headings, one.text.split()[0]) for one in document.passages] == [
        ((), "---"),
        (("The Guide",), "#"),
        (("The Guide", "Install"), "##"),
        (("The Guide", "Windows"), "Windows"),
        (("The Guide", "End"), "##"),
    ]
    if ends != "\r":
        assert [one.line for one in document.passages] == [1, 5, 9, 17, 24]


def test_a_heading_goes_with_what_it_is_above() -> None:
    document = Document.of_text("a.md", "# A\n\n## B\n\nCats.\n\n# C\n\nDogs.\n", "markdown")
    assert [(one.headings, one.text) for one in document.passages] == [
        (("A", "B"), "# A\n\n## B\n\nCats.\n\n"),
        (("C",), "# C\n\nDogs.\n"),
    ]


def test_html_is_what_a_reader_sees() -> None:
    page = """<!doctype html><title>T</title><nav>Home</nav><main><h1>Cats<a>¶</a></h1>
    <p>They  <b>eat</b>\n tuna<br>and milk.<script>no()</script><p hidden>no</p>
    <ul><li>one<li><p>two</p></ul><h2>Prices</h2><table><tr><th>food<th>price
    <tr><td>tuna<td>3</table><pre>  a\n\n  b</pre></main><footer>no</footer>"""
    text, blocks = html_text(page)
    assert text == (
        "Cats¶\n\nThey eat tuna\nand milk.\n\n- one\n\n- two\n\nPrices\n\n"
        "food | price\ntuna | 3\n\n  a\n\n  b"
    )
    assert [text[block.start :].split("\n")[0] for block in blocks if block.heading] == [
        "Cats¶",
        "Prices",
    ]
    assert blocks[-1].headings == ("Cats", "Prices")


def test_html_without_headings_has_its_title_above() -> None:
    document = Document.of_text("a.html", "<title>Cats</title><p>They eat tuna.", "html")
    assert [(one.headings, one.text) for one in document.passages] == [
        (("Cats",), "They eat tuna.")
    ]


def test_html_says_how_it_is_encoded(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes('<meta charset="windows-1252"><p>Müller €'.encode("cp1252"))
    assert read_document(tmp_path / "a.html").text == "Müller €"
    for said in ("windows-1252", "utf-16", "nonsense", "hex"):
        page = f'\ufeff<meta charset="{said}"><p>Müller €'
        for encoding in ("utf-8", "utf-16-le"):
            assert read_document("a.html", page.encode(encoding)).text == "Müller €"


@given(page=st.text(st.sampled_from("<>/ abp=\"'&;#!-[]\n")) | st.text())
def test_any_html_is_read_or_refused(page: str) -> None:
    try:
        text, blocks = html_text(page)
    except DocumentError:
        return
    starts = [block.start for block in blocks]
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert text == text.strip("\n")


def test_a_pdf_has_pages_and_its_outline() -> None:
    data = pdf(
        "Cats\nThey eat tuna.",
        "They drink milk.\nThey sleep.\nDogs\nThey eat all.",
        "",
        outline=[("Cats", 0), (" Dogs", 1)],
    )
    document = read_document("pets.pdf", data)
    assert [(one.page, one.headings, one.text.split("\n")[0]) for one in document.passages] == [
        (1, ("Cats",), "Cats"),
        (2, ("Cats",), "They drink milk."),
        (2, ("Cats", "Dogs"), "Dogs"),
    ]
    assert document.skipped == {"pages without text": 1}


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    files = {
        "a.docx": (b"PK\x03\x04\x14\0\x06\0\xff", errors.UnknownDocumentError),
        "picture": (b"\x89PNG\r\n\x1a\n\0\0", errors.UnknownDocumentError),
        "locked.pdf": (pdf("Cats.", password="miso"), errors.EncryptedDocumentError),
        "scanned.pdf": (pdf(""), errors.EmptyDocumentError),
        "cut.pdf": (pdf("Cats.")[:700], errors.BrokenDocumentError),
        "no.pdf": (b"Cats.", errors.BrokenDocumentError),
        "latin.txt": ("Müller".encode("latin-1"), errors.BrokenDocumentError),
        "latin.html": ("<p>Müller".encode("latin-1"), errors.BrokenDocumentError),
        "empty.md": (b"", errors.EmptyDocumentError),
        "blank.html": (b"<p> </p><script>no()</script>", errors.EmptyDocumentError),
        "long.txt": (b"cats " * 5_000_000, errors.LargeDocumentError),
    }
    for name, (data, kind) in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(kind, match=name):
            read_document(tmp_path / name)
    with pytest.raises(errors.UnknownDocumentError, match="no document"):
        find_documents(tmp_path)
    (tmp_path / "good.txt").write_text("Cats.")
    found = find_documents(tmp_path)
    assert [one.text for one in found.documents] == ["Cats."]
    assert {Path(name).name for name in found.refused} == files.keys() - {"a.docx", "picture"}
    assert found.skipped == {"other files": 2}


def test_a_pdf_with_a_password_that_is_empty_is_read() -> None:
    assert read_document("a.pdf", pdf("Cats.", password="")).text.strip() == "Cats."


@given(cut=st.integers(0, 2_000), put=st.binary(max_size=8))
def test_a_damaged_pdf_is_read_or_refused(cut: int, put: bytes) -> None:
    data = PETS[:cut] + put + PETS[cut + len(put) :]
    try:
        assert read_document("pets.pdf", data).text.strip()
    except DocumentError as error:
        assert "pets.pdf" in str(error)


PETS = pdf("Cats\nThey eat tuna.", "Dogs", outline=[("Cats", 0)])


def test_a_folder_is_read_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b.md", "a/c.txt", ".git/d.md", "a/.e.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    assert [one.text for one in find_documents(tmp_path).documents] == ["a/c.txt", "b.md"]


def test_a_file_that_the_system_refuses_stops_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    read_bytes = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == "a.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    found = find_documents(tmp_path)
    assert [one.text for one in found.documents] == ["b.txt"]
    assert [*found.refused] == [str(tmp_path / "a.txt")]


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text, links need rights")
def test_files_have_names_of_their_own_and_links_none(tmp_path: Path) -> None:
    for name in (b"\xff.txt", b"\xfe.txt"):
        (tmp_path / os.fsdecode(name)).write_text("Cats.")
    (tmp_path / "link.txt").symlink_to(tmp_path / os.fsdecode(b"\xff.txt"))
    names = [one.name for one in find_documents(tmp_path).documents]
    assert len(names) == len({*names}) == 2
    assert all(name.encode() for name in names)


def test_an_empty_path_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.md").write_text("Cats.")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.InvalidInputError, match="empty"):
        find_documents("")
    assert len(find_documents(Path()).documents) == 1


@given(pages=st.lists(st.sampled_from(["Cats.", ""]), min_size=1, max_size=4))
def test_no_passage_of_a_pdf_is_blank(pages: list[str]) -> None:
    said = [number for number, page in enumerate(pages, 1) if page]
    if said:
        document = read_document("a.pdf", pdf(*pages, outline=[("Dogs", 0)]))
        assert [(one.page, one.text.strip()) for one in document.passages] == [
            (number, "Cats.") for number in said
        ]
        assert all(one.headings == ("Dogs",) for one in document.passages)


@pytest.mark.parametrize("kind", ["markdown", "html"])
def test_a_long_title_is_not_kept_whole_with_every_passage(kind: Kind) -> None:
    said = "cats " * 2_000
    text = f"{said}\n---\n\nDogs." if kind == "markdown" else f"<h2>{said}</h2><p>Dogs."
    document = Document.of_text("a", text, kind)
    assert len(document.passages) > 2
    assert all(len(one.headings[0]) < 201 for one in document.passages)


def test_a_document_has_one_name_wherever_it_is_read_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("Cats.")
    monkeypatch.chdir(tmp_path / "notes")
    assert read_document("a.md").name == "~/notes/a.md"
    assert read_document(tmp_path / "notes" / "a.md").name == "~/notes/a.md"
    assert read_document("a.md", name="cats").name == "cats"
