"""Times go to integers and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from r3mem_agents.timestamps import from_integers, to_integers


@pytest.mark.parametrize("time", [datetime.min, datetime.max])
def test_the_ends_of_time(time: datetime) -> None:
    aware = time.replace(tzinfo=UTC)
    assert from_integers(*to_integers(aware)) == aware
