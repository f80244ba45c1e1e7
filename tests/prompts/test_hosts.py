from __future__ import annotations

from importlib import metadata

import pytest

from r3mem_agents.errors import HostVersionError, MissingExtraError
from r3mem_agents.prompts import check_host

MAJOR = int(metadata.version("pytest").partition(".")[0])


def test_a_host_of_the_right_version_is_taken() -> None:
    check_host("pytest", "langchain", MAJOR)


def test_a_missing_host_is_named_with_its_extra() -> None:
    with pytest.raises(MissingExtraError, match=r"no-such-host .*r3mem-agents\[langchain\]"):
        check_host("no-such-host", "langchain", 1)


@pytest.mark.parametrize("major", [MAJOR - 1, MAJOR + 1])
def test_another_major_version_is_named_with_both(major: int) -> None:
    with pytest.raises(HostVersionError, match=f"pytest {MAJOR}.*for pytest {major};"):
        check_host("pytest", "langchain", major)
