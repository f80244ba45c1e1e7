from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.documents import Document
from r3mem_agents.documents.document import Kind
from r3mem_agents.errors import EmptyDocumentError

LINES = st.sampled_from(
    [
        "# Cats",
        "## Food",
        "Tuna.",
        "",
        "- a",
        "    code",
        "```",
        "| a | b |",
        "---",
        "\t",
        "Milk. " * 300,
    ]
)
TEXTS = st.lists(LINES, min_size=1).map("\n".join).filter(str.strip)
KINDS = st.sampled_from(["text", "markdown"])


@given(text=TEXTS, kind=KINDS)
def test_passages_in_order_are_the_text(text: str, kind: Kind) -> None:
    document = Document.of_text("a", text, kind)
    assert document.text == text
    assert [one.number for one in document.passages] == [*range(1, len(document.passages) + 1)]


@given(text=st.text(), kind=KINDS)
def test_of_any_text(text: str, kind: Kind) -> None:
    try:
        assert Document.of_text("a", text, kind).text == text
    except EmptyDocumentError:
        assert not text.strip()
