"""What hosts on a Linux computer should hold, for one memory."""

from __future__ import annotations

from pathlib import Path

from r3mem_agents.connect.hosts import HOSTS, Surroundings, Wanted
from r3mem_agents.connect.invocation import Invocation

BY = Invocation(("/opt/it's here/r3mem",), "/home/ann/.r3mem/memory.db", ("--user", "ann"))


def files(
    host: str, home: Path, *, by: Invocation = BY, project: Path | None = None
) -> list[Wanted]:
    at = Surroundings(home, project, platform="linux", variables={})
    return HOSTS[host].files(by, at)


ALL = [one for host in HOSTS for one in files(host, Path("/home/ann"))]
JSON = [one for one in ALL if one.form != "toml"]
STRICT = [one for one in ALL if one.form == "json"]
[TOML] = [one for one in ALL if one.form == "toml"]
