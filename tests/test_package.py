from __future__ import annotations

import ast
import importlib
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

import r3mem_agents
from r3mem_agents import errors, prompts
from tests.new_process import loaded, run

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "r3mem_agents"

# Each part may import those named, and itself; docs/architecture.md says what each one knows.
ALLOWED = {
    "types": {"passages"},
    "errors": set(),
    "timestamps": set(),
    "forking": set(),
    "passages": set(),
    "concurrency": set(),
    "validation": {"types", "errors", "timestamps"},
    "conditions": {"errors", "validation"},
    "store": {"types", "errors", "timestamps", "forking"},
    "model": {"types", "errors", "forking", "validation"},
    "analysis": {"timestamps"},
    "lookup": {"errors", "timestamps"},
    "memory": {"types", "errors", "timestamps", "forking", "concurrency", "validation", "store"}
    | {"conditions", "passages", "model", "analysis", "lookup"},
    "prompts": {"types", "errors", "timestamps", "validation", "memory"},
    "telemetry": {"types", "errors", "model", "memory"},
    "testing": {"types", "errors", "store", "model", "memory"},
    "imports": {"types", "errors", "validation"},
    "documents": {"types", "errors", "passages", "memory", "imports"},
    "connect": {"types", "errors", "validation", "memory", "prompts", "imports"},
    "latent": {"errors", "validation"},
    "provenance": {"model"},
    "train": {"types", "errors", "model", "memory", "provenance", "latent"},
    "server": {"types", "errors", "timestamps", "validation", "store", "model", "memory"}
    | {"prompts"},
    "cli": {"types", "errors", "timestamps", "validation", "model", "memory", "prompts"}
    | {"provenance", "train", "server", "imports", "connect", "documents"},
}
# Where the names of the root come from; types and errors everybody may import.
ROOT_NAMES = {name: module.split(".")[1] for name, module in r3mem_agents._LAZY.items()}
PLAIN_NAMES = set(r3mem_agents.__all__) - set(ROOT_NAMES)


def _imported_parts(path: Path) -> set[str]:
    """Parts of the package that a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            if module == "r3mem_agents":
                found |= {ROOT_NAMES.get(name.name, name.name) for name in node.names}
            elif module.startswith("r3mem_agents."):
                found.add(module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {
                name.name.split(".")[1]
                for name in node.names
                if name.name.startswith("r3mem_agents.")
            }
    return found - PLAIN_NAMES


def test_imports_go_one_way() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if part in ("__init__", "__main__"):
            continue
        upwards = _imported_parts(path) - ALLOWED[part] - {part}
        assert not upwards, f"{path.relative_to(ROOT)} imports {sorted(upwards)}"


def test_a_lookup_takes_no_text() -> None:
    """Levels of evidence have names, in ``weights``; nothing else is handed a string."""
    for path in sorted((PACKAGE / "lookup").glob("*.py")):
        arguments = [
            (argument.arg, {name.id for name in ast.walk(note) if isinstance(name, ast.Name)})
            for argument in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(argument, ast.arg) and (note := argument.annotation) is not None
        ]
        texts = {"str", "bytes"}
        taken = [name for name, types in arguments if types & texts and "Mapping" not in types]
        assert not taken or path.name == "weights.py", f"{path.name}: {taken}"


def test_the_architecture_page_has_the_same_layers() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\|([^|]*)\|$", page, re.MULTILINE)
    assert {part: set(re.findall(r"`(\w+)`", cell)) for part, cell in rows} == ALLOWED


# What adapters are made of; everything else of the package may change under them.
PUBLIC = {
    "r3mem_agents",
    "r3mem_agents.concurrency",
    "r3mem_agents.conditions",
    "r3mem_agents.documents",
    "r3mem_agents.errors",
    "r3mem_agents.latent",
    "r3mem_agents.prompts",
    "r3mem_agents.types",
    "r3mem_agents.validation",
}
ADAPTERS = sorted((ROOT / "integrations").glob("*/__init__.py"))


@pytest.mark.parametrize("face", ADAPTERS, ids=lambda face: face.parent.name)
def test_adapters_use_public_names_only(face: Path) -> None:
    for path in sorted(face.parent.glob("**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not any("r3mem_agents." in name.name for name in node.names), path
            if not isinstance(node, ast.ImportFrom):
                continue
            module = node.module or ""
            if module.split(".")[0] == "r3mem_agents":
                assert module in PUBLIC, f"{path.name} imports {module}"
                names = {name.name for name in node.names}
                listed = getattr(importlib.import_module(module), "__all__", names)
                private = {name for name in names if name.startswith("_")} | names - {*listed}
                assert not private, f"{path.name} imports {private} of {module}"


@pytest.mark.parametrize("face", ADAPTERS, ids=lambda face: face.parent.name)
def test_adapters_keep_to_their_own_private_attributes(face: Path) -> None:
    """An attribute with an underscore is one that a class of the adapter has given itself."""
    own: set[str] = set()
    used: dict[str, str] = {}
    for path in sorted(face.parent.glob("**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                own.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                own.add(node.target.id)
            elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                of_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
                if of_self or node.attr.endswith("__"):
                    own.add(node.attr)
                else:
                    used[node.attr] = path.name
    assert used.keys() <= own, {name: where for name, where in used.items() if name not in own}


@pytest.mark.parametrize(
    ("part", "banned"),
    [
        ("store", {"torch", "tokenizers", "click", "rich_click", "rich"}),
        ("model", {"sqlite3", "click", "rich_click", "rich"}),
        ("analysis", {"torch", "sqlite3", "click", "rich_click", "rich"}),
        ("lookup", {"torch", "sqlite3", "click", "rich_click", "rich"}),
        ("memory", {"click", "rich_click", "rich"}),
    ],
)
def test_lower_layers_stay_free_of_the_others_libraries(part: str, banned: set[str]) -> None:
    frameworks = {"langchain", "langchain_core", "langgraph", "llama_index"}
    for path in sorted((PACKAGE / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [name.name for name in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            roots = {name.split(".")[0] for name in names}
            assert not roots & (banned | frameworks), f"{path.relative_to(ROOT)}: {roots}"


@pytest.mark.parametrize("package", [r3mem_agents, prompts], ids=lambda package: package.__name__)
def test_exports_are_sorted_documented_and_there(package: ModuleType) -> None:
    assert package.__all__ == sorted(set(package.__all__))
    for name in package.__all__:
        value = getattr(package, name)
        if isinstance(value, type | FunctionType):
            assert value.__doc__, f"{name} has no docstring"
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = package.no_such_name


def test_the_root_lists_its_exports() -> None:
    assert dir(r3mem_agents) == r3mem_agents.__all__


def test_errors_of_the_root_are_those_that_a_memory_raises() -> None:
    """The rest reaches those who chat, serve, read documents, run a base model or have a host."""
    raised = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type)
        and not issubclass(value, errors.ServerError | errors.DocumentError)
    }
    assert raised - set(r3mem_agents.__all__) == {
        "BaseModelError",
        "DivergedError",
        "ChatModelError",
        "HostVersionError",
        "KeyTakenError",
        "OutOfMemoryError",
        "StaleTermsError",
        "TextTooLongError",
    }


def test_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    top = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert top is not None
    assert r3mem_agents.__version__ == project["version"] == top.group(1)


def test_import_is_silent_and_light() -> None:
    heavy = ["torch", "sqlite3", "click", "rich", "numpy", "langchain_core", "llama_index"]
    assert loaded("import r3mem_agents; r3mem_agents.Turn", heavy) == []


def test_a_memory_is_loaded_without_torch() -> None:
    assert loaded("from r3mem_agents import CompressiveMemory", ["torch"]) == []


def test_a_new_process_writes_and_asks_without_masked_arrays() -> None:
    work = (
        "from r3mem_agents import CompressiveMemory\n"
        "memory = CompressiveMemory(':memory:', user='alice')\n"
        "memory.remember('user', 'The old cat sat there.', key='cat', session='one')\n"
        "memory.remember('user', 'The cats sit here.', key='cat', session='one')\n"
        "[hit] = memory.recall('Where do the cats sit?')\n"
        "memory.summary('one'); memory.forget(turn_ids=[hit.turn.id])"
    )
    assert loaded(work, ["numpy.ma"]) == loaded("import numpy", ["numpy.ma"])


@pytest.mark.parametrize(
    ("module", "host", "extra"),
    [
        ("r3mem_langchain", "langchain_core", "langchain"),
        ("r3mem_llamaindex", "llama_index", "llamaindex"),
    ],
)
def test_adapters_name_their_extra(module: str, host: str, extra: str) -> None:
    """Without its host each one raises an ImportError that says what to install."""
    code = f"try: import {module}\nexcept ImportError as error: print(error)"
    assert f"pip install 'r3mem-agents[{extra}]'" in run(code, without=[host])
    assert (ROOT / "integrations" / module / "py.typed").is_file()


def test_every_extra_that_is_named_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    sources = [*PACKAGE.rglob("*.py"), *(ROOT / "integrations").rglob("*.py")]
    named = {extra for path in sources for extra in _named_by(path)}
    assert {"plot", "langchain", "llamaindex"} <= named <= extras


def test_benchmarks_name_their_dependency_group() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = {group for path in (ROOT / "benchmarks").rglob("*.py") for group in _named_by(path)}
    assert {"bench", "mem0"} == named <= project["dependency-groups"].keys()


def _named_by(path: Path) -> set[str]:
    """Extras or groups that a file tells to install where a package is missing."""
    naming = ("MissingExtraError", "MissingPackageError", "check_host")
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in naming
            and isinstance(argument := node.args[1], ast.Constant)
        ):
            found.add(str(argument.value))
    return found


def test_the_lowest_versions_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    tested = [*project["dependencies"]]
    for extra in ("langchain", "classic", "llamaindex", "torch"):
        tested += extras[extra]
    floors = dict(re.findall(r"^([\w-]+)>=([\d.]+)", "\n".join(tested), re.MULTILINE))
    assert len(floors) == len(tested)
    lines = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").lower()
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)$", lines, re.MULTILINE))
    assert pinned == {name.lower(): version for name, version in floors.items()}


def test_the_workflows_try_every_extra_and_every_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    assert set(_matrix("wheel.yml", "extra")) == extras
    pythons = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert _matrix("test.yml", "python") == pythons
    assert project["requires-python"] == f">={pythons[0]}"


def _matrix(workflow: str, name: str) -> list[str]:
    text = (ROOT / ".github" / "workflows" / workflow).read_text(encoding="utf-8")
    found = re.search(rf"^ +{name}: \[(.+)\]$", text, re.MULTILINE)
    assert found is not None
    return re.findall(r"[\w.-]+", found.group(1))


def test_the_command_line_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["scripts"]["r3mem"].partition(":")
    assert find_spec(module) is not None
    assert hasattr(__import__(module, fromlist=[name]), name)


def test_every_verb_of_the_makefile_does_something() -> None:
    text = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    [named] = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    rules = dict(re.findall(r"^([\w-]+):[^=\n]*\n(\t.+)", text, re.MULTILINE))
    assert {*named.split()} == {*rules}
