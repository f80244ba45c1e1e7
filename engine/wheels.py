"""Build the distributions of all platforms, and refuse those that are not what they say.

    python engine/wheels.py FOLDER

A wheel holds a library for each kernel of its processor. Each of them has the functions of
``engine.h`` and no other, and needs nothing that the oldest system that the wheel names does not
have.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import lief

sys.path.insert(0, str(Path(__file__).parent))

from build import KERNELS, SOURCES, TARGETS, Target  # noqa: E402

ROOT = SOURCES.parent
LIBRARIES = "r3mem_agents/model/native/libraries"
SYSTEM = re.compile(r"libc\.so\.6|libm\.so\.6|KERNEL32\.dll|api-ms-win-crt-.*\.dll|.*libSystem.*")
"""Libraries that every system has."""


def build(folder: Path) -> list[Path]:
    """Build the source distribution and the wheel of each target; gives the wheels."""
    made = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", folder, ROOT],
        check=False,
    )
    if made.returncode:
        raise SystemExit("the source distribution was not built, for the reason above")
    return [_wheel(folder, name, target) for name, target in TARGETS.items()]


def check(wheel: Path, target: Target) -> None:
    """Refuse a wheel that does not hold what its platform needs.

    Raises:
        SystemExit: It says what is wrong.
    """
    wanted = {f"{LIBRARIES}/{kernel}{target.suffix}" for kernel in KERNELS[target.machine]}
    with ZipFile(wheel) as held, TemporaryDirectory() as folder:
        found = {name for name in held.namelist() if name.startswith(f"{LIBRARIES}/")}
        _require(found == wanted, wheel, f"holds {sorted(found)}, not {sorted(wanted)}")
        for name in sorted(found):
            library = lief.parse(held.extract(name, folder))
            _check_library(library, target, f"{wheel.name}: {name}")


def functions() -> set[str]:
    """The functions that ``engine.h`` declares."""
    return set(re.findall(r"^EXPORT [^(]*?(r3_\w+)\(", (SOURCES / "engine.h").read_text(), re.M))


def _check_library(library: lief.Binary, target: Target, where: str) -> None:
    exported = {str(one.name).removeprefix("_") for one in library.exported_functions}
    exported -= {"_mh_dylib_header", "__dso_handle"}
    _require(exported == functions(), where, f"exports {sorted(exported)}")
    needed = [getattr(one, "name", one) for one in library.libraries]
    needed = [str(name) for name in needed if not str(name).startswith("@rpath/")]
    others = [name for name in needed if not SYSTEM.fullmatch(name)]
    _require(not others, where, f"needs {others}")
    if isinstance(library, lief.ELF.Binary):
        versions = {
            tuple(int(part) for part in one.name.removeprefix("GLIBC_").split("."))
            for needed_one in library.symbols_version_requirement
            for one in needed_one.get_auxiliary_symbols()
        }
        newest = max(versions, default=(0,))
        oldest = tuple(int(part) for part in target.tag.split("_")[1:3])
        _require(newest <= oldest, where, f"needs glibc {newest}")


def _wheel(folder: Path, name: str, target: Target) -> Path:
    made = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, ROOT],
        env=os.environ | {"R3MEM_TARGET": name},
        check=False,
    )
    found = sorted(folder.glob(f"*-py3-none-{target.tag}.whl"))
    if made.returncode or len(found) != 1:
        raise SystemExit(f"the wheel for {name} was not built, for the reason above")
    check(found[0], target)
    return found[0]


def _require(fulfilled: bool, where: object, otherwise: str) -> None:
    if not fulfilled:
        raise SystemExit(f"{where} {otherwise}")


if __name__ == "__main__":
    lief.logging.disable()  # it complains of what a stripped library does not hold
    for path in build(Path(sys.argv[1])):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")  # noqa: T201
