"""A TCP proxy on loopback that can be slow, silent, rude or gone."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

from . import ports

_PIECE = 65536
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset and drops what is under way


class Proxy:
    """Passes connections to a port of its own on to `target`, another port of this machine.

    Attributes:
        latency: seconds that each piece of data waits, on its way back to the client.
        rate: bytes a second on the way back, for each connection; 0: as fast as can be.
        connections: how many came so far.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = ports.free(1)[0]
        self.latency = 0.0
        self.rate = 0
        self.connections = 0
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self.accept()

    @property
    def address(self) -> str:
        """Host and port for clients."""
        return f"{ports.HOST}:{self.port}"

    def accept(self) -> None:
        """Takes connections, as it does from the start."""
        if self._listening is None:
            self._listening = socket.create_server((ports.HOST, self.port))
            threading.Thread(target=self._serve, args=(self._listening,), daemon=True).start()

    def refuse(self) -> None:
        """Ends all connections and refuses new ones, as a machine does on which the server does not run."""
        with self._lock:  # a connection that is being set up now is not registered any more
            listening, self._listening = self._listening, None
        if listening is not None:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept()
            listening.close()
        self.reset()

    def reset(self) -> None:
        """Ends all connections by a reset, which drops what is under way."""
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._open.clear()

    def freeze(self) -> None:
        """Forwards nothing and closes nothing, as when a cable was cut: connections are half-open."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Forwards again, beginning with what has waited."""
        self._flowing.set()

    def heal(self) -> None:
        """Ends every fault."""
        self.latency, self.rate = 0.0, 0
        self.thaw()
        self.accept()

    def close(self) -> None:
        """Ends all connections, and the proxy."""
        self.refuse()
        self.thaw()

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection((ports.HOST, self._target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                if self._listening is not listening:
                    client.close()
                    server.close()
                    return
                self._open |= {client, server}
            threading.Thread(target=self._forward, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._forward, args=(server, client, True), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, back: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                self._flowing.wait()
                if back and self.latency:
                    time.sleep(self.latency)
                if back and self.rate:
                    time.sleep(len(data) / self.rate)
                sink.sendall(data)
        with self._lock:
            for one in (source, sink):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._open -= {source, sink}
