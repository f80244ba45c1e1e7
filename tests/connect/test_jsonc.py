from __future__ import annotations

import json

import pytest
from hypothesis import given

from r3mem_agents.connect.jsonc import MAX_DEPTH, Node, scan
from r3mem_agents.errors import InvalidInputError
from tests.connect.texts import configurations


@given(configurations(comments=False))
def test_strict_json_means_what_the_standard_library_says(text: str) -> None:
    assert scan(text, "it", comments=False).value == json.loads(text)
    assert scan(text, "it", comments=True).value == json.loads(text)


@given(configurations(comments=True))
def test_places_are_those_of_the_values(text: str) -> None:
    def check(node: Node) -> None:
        assert scan(f'{{"it":{text[node.start : node.end]}}}', "", comments=True).value == {
            "it": node.value
        }
        for entry in node.entries:
            assert entry.comma is None or text[entry.comma] == ","
            check(entry.node)

    check(scan(text, "it", comments=True))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": 1,\n "b" 2}', "line 2, column 6: no colon after a key"),
        ('{"a": 1\n "b": 2}', "line 2, column 2: '\"b\"' where a comma or '}' should be"),
        ('{\n  "a": tru\n}', "line 2, column 8: not JSON ('tru')"),
        ('{"a": 007}', "line 1, column 7: not JSON ('007')"),
        ('{"a": "b\n"}', "line 1, column 7: not JSON ('\"b')"),
        ('{"a": [1, 2', "line 1, column 12: the end where a comma or ']' should be"),
        ('{"a": }', "line 1, column 7: '}' where a value should be"),
        ("{a: 1}", "line 1, column 2: not JSON ('a: 1}')"),
        ('{"a": 1} {}', "line 1, column 10: more after the end ('{')"),
        ("[]", "line 1, column 1: not an object"),
        ('{"a": 1, // why\n"b": 2}', "line 1, column 10: a comment, which this host"),
        ('{"a": 1,\n}', "line 2, column 1: a comma before the end, which this host"),
        ('{"a": ' + "[" * (MAX_DEPTH + 1), "nested too deep"),
    ],
)
def test_a_fault_is_named_with_its_place(text: str, fault: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        scan(text, "settings.json", comments=False)
    assert str(raised.value).startswith("settings.json, line ")
    assert fault in str(raised.value)
    assert "nothing was changed" in str(raised.value)
