"""A server of OpenAI's protocol that knows nothing: its answer repeats the prompt it was given."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Repeating(BaseHTTPRequestHandler):
    """Answers ``POST .../chat/completions``, in one piece or as a stream of words."""

    def do_POST(self) -> None:
        """Answer a prompt."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = "I was told: " + " | ".join(
            one["content"] if isinstance(one["content"], str) else json.dumps(one["content"])
            for one in asked["messages"]
        )
        common = {"id": "chatcmpl-1", "created": 0, "model": asked["model"]}
        self.send_response(200)
        if asked.get("stream"):
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for place, word in enumerate(answer.split(" ")):
                delta = {"role": "assistant", "content": (" " if place else "") + word}
                self._event(common, {"delta": delta, "finish_reason": None})
            self._event(common, {"delta": {}, "finish_reason": "stop"})
            self.wfile.write(b"data: [DONE]\n\n")
            return
        message = {"role": "assistant", "content": answer}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        body = common | {"object": "chat.completion", "choices": [choice], "usage": usage}
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def _event(self, common: dict[str, Any], choice: dict[str, Any]) -> None:
        chunk = common | {"object": "chat.completion.chunk", "choices": [{"index": 0} | choice]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


@contextmanager
def repeating_server() -> Iterator[str]:
    """Its address, up to ``/v1``, while it runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Repeating)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
