"""What memories, the command line and the adapters do where PyTorch is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.new_process import run

FORBIDDEN = """
import sys

class NoTorch:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in {"torch", "transformers", "peft"}:
            raise ImportError(f"{name} is imported")

sys.meta_path.insert(0, NoTorch())
"""
TORCH = ["torch", "transformers", "peft"]


def without_torch(code: str) -> str:
    """What code prints in a process where importing PyTorch is an error."""
    return run(FORBIDDEN + code, without=TORCH)


def test_a_memory_needs_no_torch(tmp_path: Path) -> None:
    code = f"""
from r3mem_agents import CompressiveMemory, provenance

with CompressiveMemory({str(tmp_path / "memory.db")!r}) as memory:
    dog = memory.remember("user", "My dog is called Biscuit.")
    memory.remember("user", "I was in Lisbon in May.")
    print(memory.recall("What is my dog called?")[0].text)
    print(memory.summary())
    print(memory.verify())
    memory.forget(turn_ids=[dog.id])
    print(memory.stats().turns, provenance.describe()["gpu"])
"""
    lines = without_torch(code).splitlines()
    assert lines[0] == "My dog is called Biscuit."
    assert lines[-1] == "1 None"


def command(*arguments: str) -> str:
    """What a command prints, on stderr too."""
    return without_torch(f"""
sys.stderr = sys.stdout
from r3mem_agents.cli import app
try: app({list(arguments)!r})
except SystemExit as error: print("exit", error.code)
""")


def test_the_commands_need_no_torch(tmp_path: Path) -> None:
    db = str(tmp_path / "memory.db")
    command("remember", "My dog is called Biscuit.", "--db", db)
    assert "Biscuit" in command("recall", "What is my dog called?", "--db", db)
    assert "exit 0" in command("version", "--all")


def test_the_demo_needs_no_torch(tmp_path: Path) -> None:
    said = command("demo", "--turns", "8", "--db", str(tmp_path / "demo.db"))
    assert "8 of 8 turns are the same to the byte" in said


@pytest.mark.parametrize("name", ["train", "distil", "tune", "supersede", "latent"])
def test_a_training_command_names_its_extra(name: str) -> None:
    said = command(name)
    assert "pip install 'r3mem-agents[train]'" in said.replace("\n", "")
    assert "exit 1" in said


def test_a_gpu_needs_the_extra_torch() -> None:
    code = """
from r3mem_agents.errors import MissingExtraError
from r3mem_agents import ReversibleModel
try: ReversibleModel.from_pretrained().to("cuda")
except MissingExtraError as error: print(error)
"""
    assert "pip install 'r3mem-agents[torch]'" in without_torch(code)


ADAPTERS = {
    "langchain": """
from r3mem_langchain import R3Retriever
print(R3Retriever(memory=memory).invoke("What is my dog called?")[0].page_content)
""",
    "llamaindex": """
from r3mem_llamaindex import R3Retriever
print(R3Retriever(path).retrieve("What is my dog called?")[0].text)
""",
}


@pytest.mark.parametrize("host", ADAPTERS)
def test_an_adapter_needs_no_torch(host: str, tmp_path: Path) -> None:
    code = f"""
from r3mem_agents import CompressiveMemory
path = {str(tmp_path / "memory.db")!r}
memory = CompressiveMemory(path)
memory.remember("user", "My dog is called Biscuit.")
"""
    assert "Biscuit" in without_torch(code + ADAPTERS[host])
