"""Every adapter names its host where that is missing, or is of another version."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import OTHER_HOSTS
from tests.new_process import run

INTEGRATIONS = Path(__file__).parents[2] / "integrations"
HOSTS = [page.stem.replace("-", "_") for page in OTHER_HOSTS]
WRITTEN = [name for name in HOSTS if (INTEGRATIONS / f"r3mem_{name}").is_dir()]


def imported(name: str, before: str) -> str:
    """The error of importing an adapter in a new process."""
    return run(
        f"import importlib.metadata as metadata\n{before}\ntry: import r3mem_{name}\n"
        "except ImportError as error: print(type(error).__name__, error)"
    )


@pytest.mark.parametrize("name", WRITTEN)
def test_a_missing_host_is_named(name: str) -> None:
    told = imported(
        name,
        "def version(name): raise metadata.PackageNotFoundError(name)\nmetadata.version = version",
    )
    assert told.startswith("MissingExtraError")
    assert f"pip install 'r3mem-agents[{name.replace('_', '-')}]'" in told


@pytest.mark.parametrize("name", WRITTEN)
def test_another_version_of_a_host_is_named(name: str) -> None:
    told = imported(name, "metadata.version = lambda name: '99.1'")
    assert told.startswith("HostVersionError")
    assert " 99.1 is installed" in told


@pytest.mark.parametrize("name", WRITTEN)
def test_an_adapter_has_types(name: str) -> None:
    assert (INTEGRATIONS / f"r3mem_{name}" / "py.typed").is_file()
