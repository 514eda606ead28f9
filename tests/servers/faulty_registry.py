"""An HTTP proxy before a schema registry that answers in its place where it is told to, and counts."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from . import ports

if TYPE_CHECKING:
    from collections.abc import Callable


_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class Answer(NamedTuple):
    """What a faulty registry says.

    Attributes:
        cut: it promises more bytes than it sends.
        delay: seconds before it says so.
        raw: bytes instead of an HTTP answer; then it closes the connection.
        more: what follows raw, again and again, until the other side closes.
        pause: seconds between two of these.
        reset: it closes the connection by a reset.
    """

    status: int
    body: bytes = b"{}"
    content_type: str = "application/json"
    cut: bool = False
    delay: float = 0.0
    raw: bytes | None = None
    reset: bool = False
    more: bytes = b""
    pause: float = 0.0


class FaultyRegistry:
    """A registry's address that passes requests on, but for those that `fault` has an answer to.

    Attributes:
        url: what clients take as the registry's address.
        requests: the path of each request so far.
        logins: the Authorization of each, or None.
        fault: gives the answer to a request's path; None: the real one's.
    """

    def __init__(self, real: str) -> None:
        self.real = urlsplit(real)
        self.requests: list[str] = []
        self.logins: list[str | None] = []
        self.fault: Callable[[str], Answer | None] = lambda _path: None
        self._server = ThreadingHTTPServer((ports.HOST, ports.free(1)[0]), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://{ports.HOST}:{self._server.server_port}{self.real.path}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Stops to listen: connections are refused from here on. Closing again does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def answer(self, path: str) -> Answer:
        """What a request gets."""
        self.requests.append(path)
        return self.fault(path) or self._passed_on(path)

    def _passed_on(self, path: str) -> Answer:
        tries = (self._asked(path) for _ in range(5))  # Apicurio leaves a request in some hundred without an answer
        return next(filter(None, tries), Answer(503))

    def _asked(self, path: str) -> Answer | None:
        try:
            with urllib.request.urlopen(f"http://{self.real.netloc}{path}", timeout=3) as found:
                return Answer(found.status, found.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.read())
        except OSError:
            return None


def _handler(registry: FaultyRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.logins.append(self.headers["Authorization"])
            self._say(registry.answer(self.path))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._say(registry.fault(self.path) or Answer(501))  # only questions are passed on

        def _say(self, answer: Answer) -> None:
            time.sleep(answer.delay)
            if answer.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            if answer.raw is not None:
                with contextlib.suppress(OSError):
                    self.wfile.write(answer.raw)
                    while answer.more:
                        self.wfile.write(answer.more)
                        time.sleep(answer.pause)
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body) + (1000 if answer.cut else 0)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_arguments: object) -> None:
            """Nothing: the requests are counted."""

    return Handler
