"""A proxy before one broker that knows where requests begin and end, and answers some of them wrongly."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from typing import TYPE_CHECKING, Literal, TypeAlias

from . import ports
from .acceptor import Acceptor

if TYPE_CHECKING:
    from collections.abc import Callable

    Change: TypeAlias = Callable[[bytes], bytes]

# What can become of a request. "hang up" and "reset" close the connection. "stall" answers nothing and closes nothing.
# "truncate" closes it after half of the answer. "half", "garbage" and "zeros" are answers of the right number that hold
# half of the bytes, other bytes, or zeros, which mean "nothing, and no error". "http" is the answer of a web server.
Fault: TypeAlias = Literal["hang up", "reset", "stall", "truncate", "half", "garbage", "zeros", "http"]

# The requests of scans and listeners, and their numbers in the protocol. "connect" stands for the connection itself.
STEPS = {
    "ApiVersions": 18,
    "Metadata": 3,
    "ListOffsets": 2,
    "Fetch": 1,
    "FindCoordinator": 10,
    "JoinGroup": 11,
    "SyncGroup": 14,
    "OffsetFetch": 9,
    "OffsetCommit": 8,
    "Heartbeat": 12,
}
_NAMES = {number: name for name, number in STEPS.items()}
_TELLS_ADDRESSES = {"Metadata", "FindCoordinator"}
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset
_HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class FaultyBroker:
    """Passes connections on to a broker of this machine, whose address it replaces by its own.

    Attributes:
        servers: what clients take as the broker's address.
        requests: the name of each request so far; "connect" for each connection.
        fault: gives what becomes of a request, by its name and how many of that name came before. None: nothing. A
            function makes another answer of the broker's.
    """

    def __init__(self, servers: str) -> None:
        host, port = servers.rsplit(":", 1)
        self._target = (host, int(port))
        self.requests: list[str] = []
        self.fault: Callable[[str, int], Fault | Change | None] = lambda _name, _before: None
        self._acceptor = Acceptor()
        own, self.servers = self._acceptor.port, self._acceptor.address
        # In every version of both answers, a host's name is followed by its port.
        self._address = host.encode() + struct.pack(">i", int(port)), ports.HOST.encode() + struct.pack(">i", own)
        self._lock = threading.Lock()
        self._acceptor.start(self._connected)

    def close(self) -> None:
        """Ends all connections, and the proxy."""
        self._acceptor.close()

    def _fault_of(self, name: str) -> Fault | Change | None:
        with self._lock:
            before = self.requests.count(name)
            self.requests.append(name)
        return self.fault(name, before)

    def _connected(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection(self._target, timeout=5) as server:
            server.settimeout(None)
            with self._acceptor.ended_by_close(client, server):
                fault = self._fault_of("connect")
                if fault is not None:
                    self._break(client, fault, b"")
                while fault is None:
                    fault = self._answer(client, server)

    def _answer(self, client: socket.socket, server: socket.socket) -> Fault | Change | None:
        """Passes on a request and its answer, which is the next one, as a broker answers in turn."""
        request = _frame(client)
        name = _NAMES.get(struct.unpack_from(">h", request, 4)[0], "another")
        fault = self._fault_of(name)
        server.sendall(request)
        answer = _frame(server)
        if name in _TELLS_ADDRESSES:
            answer = answer.replace(*self._address)
        if fault is None:
            client.sendall(answer)
            return None
        return self._break(client, fault, answer)

    def _break(self, client: socket.socket, fault: Fault | Change, answer: bytes) -> Fault | Change | None:
        """Has the client meet a fault. None: the connection remains."""
        number, body = answer[4:8], answer[8:]
        if callable(fault):
            client.sendall(fault(answer))
            return None
        if fault == "stall":
            _frame(client, anything=True)
        elif fault == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        elif fault == "truncate":
            client.sendall(answer[: len(answer) // 2])
        elif fault == "http":
            client.sendall(_HTTP)
        elif fault != "hang up" and answer:
            shown = {
                "half": body[: len(body) // 2],
                "garbage": random.Random(len(body)).randbytes(len(body)),  # the same each time
                "zeros": bytes(len(body)),
            }[fault]
            client.sendall(struct.pack(">i", len(number) + len(shown)) + number + shown)
            return None
        return fault


def _frame(source: socket.socket, anything: bool = False) -> bytes:
    """The next request or answer, with its length before it. anything: drops whatever comes, until the other closes."""
    found = bytearray()
    while len(found) < 4 or len(found) < 4 + struct.unpack_from(">i", found)[0]:
        missing = 4 + struct.unpack_from(">i", found)[0] - len(found) if len(found) >= 4 else 4 - len(found)
        data = source.recv(65536 if anything else missing)
        if not data:
            raise ConnectionError("the other side has closed")
        if not anything:
            found += data
    return bytes(found)
