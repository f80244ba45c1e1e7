"""The host that an adapter needs, looked at before it is imported."""

from __future__ import annotations

from importlib import metadata

from r3mem_agents.errors import HostVersionError, MissingExtraError


def check_host(package: str, extra: str, major: int) -> None:
    """Refuse to go on without a host, or with another major version of it.

    Args:
        package: The host's name, as pip has it.
        extra: The extra of this package that brings it.
        major: The first number of the versions that the adapter was written for.

    Raises:
        MissingExtraError: If it is not installed.
        HostVersionError: If another major version is.
    """
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        raise MissingExtraError(package, extra) from None
    if version.partition(".")[0] != str(major):
        raise HostVersionError(package, version, major, extra)
