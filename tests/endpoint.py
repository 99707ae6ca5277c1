"""A model server as the world has them: OpenAI's interface, and whatever can go wrong behind it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Messages = list[dict[str, str]]

Fault = Callable[[int, Messages], Any]
"""Takes how many requests there were, and this one's messages; returns None, an HTTP status,
`slow`, `cut` (the body), `length` (the reply) or `gone` (no reply)."""


def in_turn(messages: Messages) -> str:
    """Sets one variable after another; a pure function of the messages."""
    if len(messages) < 2:
        return "ready"
    names = messages[1]["content"].split("\n")[0].split()[1:]
    turn = sum(m["role"] == "assistant" for m in messages) % len(names)
    goal = messages[-1]["content"].partition("Goal: ")[2].split("\n")[0].strip()
    return f"do {names[turn] if names[turn] != goal else names[turn - 1]}=2.0"


class Endpoint:
    """A server on a port of its own, until `stop`; a deterministic model but for its faults.

    Attributes:
        asked: the messages of every request that was answered with a reply, in order.
        usage: whether replies say how many tokens they took: 100 in, 10 out.
    """

    def __init__(
        self,
        fault: Fault | None = None,
        port: int = 0,
        reply: Callable[[Messages], str] = in_turn,
        usage: bool = True,
        slow: float = 1.5,
    ) -> None:
        self.fault, self.reply, self.usage, self.slow = fault, reply, usage, slow
        self.asked: list[Messages] = []
        self.met: Counter[str] = Counter()
        self._requests = 0
        self._lock = threading.Lock()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                pass

            def do_POST(self) -> None:
                with suppress(BrokenPipeError, ConnectionResetError):  # clients that gave up
                    endpoint._answer(self)

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *args: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["content-length"])))
        messages = [{"role": m["role"], "content": m["content"]} for m in body["messages"]]
        with self._lock:
            self._requests += 1
            wrong = self.fault(self._requests, messages) if self.fault else None
            self.met[str(wrong)] += 1
        if wrong == "gone":
            request.close_connection = True
            return
        if wrong == "slow":
            time.sleep(self.slow)
        status, fields = 200, self._completion(messages, wrong == "length")
        if isinstance(wrong, int):
            status, fields = wrong, {"error": {"message": "not now"}}
        elif wrong is None or wrong == "length":
            with self._lock:
                self.asked.append(messages)
        data = json.dumps(fields).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data[:30] if wrong == "cut" else data)
        request.close_connection = wrong == "cut"

    def _completion(self, messages: Messages, cut: bool) -> dict[str, Any]:
        text = self.reply(messages)
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text[:4] if cut else text},
            "finish_reason": "length" if cut else "stop",
        }
        fields: dict[str, Any] = {"id": "1", "object": "chat.completion", "created": 0,
                                  "model": "m", "choices": [choice]}  # fmt: skip
        if self.usage:
            fields["usage"] = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        return fields
