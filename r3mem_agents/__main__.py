"""``python -m r3mem_agents``: the same as the ``r3mem`` command."""

from r3mem_agents.cli import app

if __name__ == "__main__":
    app(prog_name="r3mem")
