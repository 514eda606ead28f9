"""A server of our own on loopback: a thread for each connection, and an end for all of them."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from . import ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Acceptor:
    """Listens on a free port. Connections are taken from start() on, and end with close()."""

    def __init__(self) -> None:
        self._listening = socket.create_server((ports.HOST, ports.free(1)[0]))
        self.port: int = self._listening.getsockname()[1]
        self.address = f"{ports.HOST}:{self.port}"
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def start(self, connected: Callable[[socket.socket], None]) -> None:
        """Has each connection served by a call in a thread of its own."""
        threading.Thread(target=self._serve, args=(connected,), daemon=True).start()

    def close(self) -> None:
        """Ends all connections, and takes no others."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept()
        self._listening.close()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def ended_by_close(self, *connections: socket.socket) -> Iterator[None]:
        """While it lasts, close() ends these connections."""
        with self._lock:
            self._open.update(connections)
        try:
            yield
        finally:
            with self._lock:
                self._open.difference_update(connections)

    def _serve(self, connected: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=connected, args=(client,), daemon=True).start()
