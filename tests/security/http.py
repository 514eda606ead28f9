"""A small HTTP server for tests: token endpoints, and what stands before a registry."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.servers import ports

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from typing_extensions import Self


class Server:
    """Serves answer(request) → (status, JSON value), on loopback, in threads of its own; over TLS, given a context."""

    def __init__(self, answer: Callable[[Any], tuple[int, Any]], tls: ssl.SSLContext | None = None) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                status, value = answer(self)
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815  # the name is what the server looks for

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request: Any, client: Any) -> None:
                # Here and not around the listening socket: a handshake that fails must not hold up the others.
                if tls is None:
                    super().finish_request(request, client)
                    return
                with tls.wrap_socket(request, server_side=True) as wrapped:
                    super().finish_request(wrapped, client)

            def handle_error(self, *_: object) -> None:  # a client that does not trust us is what some tests want
                pass

        self._server = Quiet((ports.HOST, 0), Handler)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://{ports.HOST}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def forward(to: str, request: Any) -> tuple[int, Any]:
    """The answer of another server to the same GET."""
    try:
        with urllib.request.urlopen(to.rstrip("/") + request.path, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
