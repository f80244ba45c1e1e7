"""``r3mem serve``."""

from __future__ import annotations

import rich_click as click

from r3mem_agents.cli.console import examples, harmless, out
from r3mem_agents.cli.options import db_option, model_option
from r3mem_agents.cli.places import spare_threads
from r3mem_agents.server.limits import DEFAULT_RATE

DEFAULT_PORT = 7373


@click.command(
    "serve",
    epilog=examples(
        "r3mem serve --db alice.db",
        "r3mem serve --db team.db --host 0.0.0.0 --port 8080 --workers 4",
    ),
)
@db_option
@model_option
@click.option("--host", default="127.0.0.1", help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    help="Port to listen at; 0 takes one that is free.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, help="How many processes serve the file."
)
@click.option(
    "--allow-host",
    "allowed",
    multiple=True,
    help="Another name under which the server is reached, such as a proxy's; may be repeated.",
)
@click.option(
    "--rate",
    default=DEFAULT_RATE,
    help="How often a token, or an address without one, is answered by each process.",
)
def serve(
    db: str,
    model: str | None,
    host: str,
    port: int,
    workers: int,
    allowed: tuple[str, ...],
    rate: str,
) -> None:
    """Serve a memory over HTTP: REST, MCP and a page, until Ctrl-C.

    Without tokens only this machine is served, and requests choose their user; with the first
    token (r3mem token add) each request needs one, and gets the memory of its user alone.
    """
    spare_threads()
    from r3mem_agents.server.serving import Serving
    from r3mem_agents.server.serving import serve as serve_file

    def begun(url: str, local: bool) -> None:
        whom = "no tokens: requests choose their user" if local else "tokens only"
        out().print(harmless(f"{db} at {url} ({whom})"), markup=False, soft_wrap=True)

    serve_file(
        Serving(
            db=db, model=model, host=host, port=port, workers=workers, allowed=allowed, rate=rate
        ),
        begun,
    )
