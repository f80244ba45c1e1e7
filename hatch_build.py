"""Compiles the engine when the package is built or installed from its source."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

sys.path.insert(0, str(Path(__file__).parent / "engine"))

import build as engine  # noqa: E402

LIBRARIES = "r3mem_agents/model/native/libraries"


class EngineHook(BuildHookInterface[Any]):
    """Puts the engine's libraries into a wheel, or into the package of an editable install.

    ``R3MEM_TARGET`` names another platform to build a wheel for, one of ``engine/build.py``.
    """

    def dependencies(self) -> list[str]:
        """A compiler, where there is none."""
        needed = self.target_name == "wheel" and (self._target or engine.compiler() is None)
        return ["ziglang>=0.16"] if needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the wheel after the platform alone: any Python can load it."""
        if self.target_name != "wheel":
            return
        target = self._target
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{target.tag if target else next(platform_tags())}"
        if version == "editable":
            engine.build(Path(self.root, LIBRARIES))
            return
        self._folder = TemporaryDirectory()
        for path in engine.build(Path(self._folder.name), target):
            build_data["force_include"][str(path)] = f"{LIBRARIES}/{path.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled, once it is in the wheel."""
        if self.target_name == "wheel" and version != "editable":
            self._folder.cleanup()

    @property
    def _target(self) -> engine.Target | None:
        name = os.environ.get("R3MEM_TARGET")
        return engine.target_of(name) if name else None
