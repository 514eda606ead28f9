"""A broker of one topic of one partition whose answers a test makes: well framed, with hostile contents.

It speaks versions of the protocol without tags and compact lengths, so that an answer can be written down by hand.
Answers of newer versions are tested in Go (kafarr/source/fetch/incoming_test.go).
"""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from . import ports
from .acceptor import Acceptor

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

TOPIC = "T"
# The requests that it answers: their numbers, and the newest version that it says it knows.
_KNOWN = {
    "ApiVersions": (18, 2),
    "Metadata": (3, 7),
    "ListOffsets": (2, 5),
    "Fetch": (1, 11),
    "OffsetForLeaderEpoch": (23, 3),
}
_NAMES = {number: name for name, (number, _) in _KNOWN.items()}


class Frame(NamedTuple):
    """Bytes instead of an answer with its length and number before it.

    Attributes:
        pause: seconds between two of the bytes; 0: all at once.
        endless: they come again and again.
    """

    data: bytes
    pause: float = 0.0
    endless: bool = False


class HostileBroker:
    """One broker, one topic, one partition of ten rows, "0" to "9", in two batches.

    Attributes:
        servers: what clients take as the broker's address.
        requests: the name of each request so far.
        answer: gives the answer to a request, by its name and how many of that name came before. None: the usual one.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.answer: Callable[[str, int], bytes | Frame | None] = lambda _name, _before: None
        self._acceptor = Acceptor()
        self.port, self.servers = self._acceptor.port, self._acceptor.address
        self.log = batch(0, [b"0", b"1", b"2", b"3", b"4"]) + batch(5, [b"5", b"6", b"7", b"8", b"9"])
        self._lock = threading.Lock()
        self._acceptor.start(self._connected)

    def close(self) -> None:
        """Ends all connections, and the broker."""
        self._acceptor.close()

    # ---- answers, without length and number ----

    def metadata(
        self,
        *,
        topics: Iterable[bytes] | None = None,
        partitions: Iterable[tuple[int, int]] = ((0, 0),),
        nodes: Iterable[int] = (0,),
        error: int = 0,
        name: bytes = TOPIC.encode(),
        throttle: int = 0,
    ) -> bytes:
        """Metadata, version 7. partitions: numbers and leaders. topics: encoded ones, instead of the only one."""
        brokers = [
            struct.pack(">i", node) + _text(ports.HOST.encode()) + struct.pack(">ih", self.port, -1) for node in nodes
        ]
        if topics is None:
            parts = [struct.pack(">hiii", 0, number, leader, 0) + bytes(12) for number, leader in partitions]
            topics = [struct.pack(">h", error) + _text(name) + b"\0" + _array(parts)]
        return struct.pack(">i", throttle) + _array(brokers) + struct.pack(">hi", -1, 0) + _array(list(topics))

    def offsets(self, offset: int, *, partition: int = 0, error: int = 0, throttle: int = 0) -> bytes:
        """ListOffsets, version 5."""
        part = struct.pack(">ihqqi", partition, error, -1, offset, 0)
        return struct.pack(">i", throttle) + _array([_text(TOPIC.encode()) + _array([part])])

    def fetch(
        self,
        records: bytes,
        *,
        high: int = 10,
        stable: int | None = None,
        error: int = 0,
        aborted: bytes = struct.pack(">i", -1),
        replica: int = -1,
        throttle: int = 0,
        length: int | None = None,
    ) -> bytes:
        """Fetch, version 11. length: of the records, as it is claimed."""
        part = struct.pack(">ihqqq", 0, error, high, high if stable is None else stable, 0) + aborted
        part += struct.pack(">ii", replica, len(records) if length is None else length) + records
        return struct.pack(">ihi", throttle, 0, 0) + _array([_text(TOPIC.encode()) + _array([part])])

    def usual(self, name: str, version: int, request: bytes) -> bytes:
        """What an honest broker answers."""
        match name:
            case "ApiVersions":
                keys = [struct.pack(">hhh", number, 0, newest) for number, newest in _KNOWN.values()]
                refused = version > _KNOWN[name][1]
                return struct.pack(">h", 35 if refused else 0) + _array(keys) + (bytes(4) if 0 < version < 3 else b"")
            case "Metadata":
                return self.metadata()
            case "ListOffsets":
                at = struct.unpack_from(">q", request, len(request) - 8)[0]
                return self.offsets({-1: 10}.get(at, 0))
            case "Fetch":
                # After the topic's name and the numbers of the partition and the leader's epoch.
                place = request.index(_text(TOPIC.encode())) + 2 + len(TOPIC) + 4 + 4 + 4
                return self.fetch(self.log if struct.unpack_from(">q", request, place)[0] < 10 else b"")
        return struct.pack(">i", 0) + _array([_text(TOPIC.encode()) + _array([struct.pack(">hiiq", 0, 0, 0, 10)])])

    # ---- connections ----

    def _connected(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, struct.error), client, self._acceptor.ended_by_close(client):
            while self._answered(client):
                pass

    def _answered(self, client: socket.socket) -> bool:
        request = _exactly(client, struct.unpack(">i", _exactly(client, 4))[0])
        key, version, number = struct.unpack_from(">hhi", request)
        name = _NAMES[key]
        with self._lock:
            before = self.requests.count(name)
            self.requests.append(name)
        answer = self.answer(name, before)
        if isinstance(answer, Frame):
            self._send(client, answer)
            return True
        body = self.usual(name, version, request) if answer is None else answer
        client.sendall(struct.pack(">ii", len(body) + 4, number) + body)
        return True

    def _send(self, client: socket.socket, frame: Frame) -> None:
        while True:
            if not frame.pause:
                client.sendall(frame.data)
            for one in frame.data if frame.pause else b"":
                client.sendall(bytes([one]))
                time.sleep(frame.pause)
            if not frame.endless:
                return


def batch(
    base: int,
    values: Iterable[bytes],
    *,
    body: bytes | None = None,
    count: int | None = None,
    last_delta: int | None = None,
    length: int | None = None,
    checksum: int | None = None,
    attributes: int = 0,
    producer: int = -1,
) -> bytes:
    """A record batch of format 2, as its values make it or with other numbers in it; its checksum fits, or is given."""
    values = list(values)
    whole = b"".join(record(number, value) for number, value in enumerate(values)) if body is None else body
    count = len(values) if count is None else count
    summed = struct.pack(
        ">hiqqqhii", attributes, max(count - 1, 0) if last_delta is None else last_delta, 0, 0, producer, -1, -1, count
    )
    summed += whole
    found = crc32c(summed) if checksum is None else checksum
    inner = struct.pack(">ibI", 0, 2, found) + summed
    return struct.pack(">qi", base, len(inner) if length is None else length) + inner


def record(
    delta: int, value: bytes, *, length: int | None = None, value_length: int | None = None, headers: int = 0
) -> bytes:
    """A record without a key, or one that claims other lengths than it has."""
    found = b"\0" + varint(0) + varint(delta) + varint(-1)
    found += varint(len(value) if value_length is None else value_length) + value + varint(headers)
    return varint(len(found) if length is None else length) + found


def varint(number: int) -> bytes:
    """A zigzag number, as records have them."""
    left = (number << 1) ^ (number >> 63)
    found = bytearray()
    while left > 127:
        found.append(left & 127 | 128)
        left >>= 7
    return bytes([*found, left])


def _text(text: bytes) -> bytes:
    return struct.pack(">h", len(text)) + text


def _array(parts: list[bytes]) -> bytes:
    return struct.pack(">i", len(parts)) + b"".join(parts)


def _exactly(client: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        data = client.recv(size - len(found))
        if not data:
            raise ConnectionError("the other side has closed")
        found += data
    return bytes(found)


def _table() -> list[int]:
    found = []
    for number in range(256):
        left = number
        for _ in range(8):
            left = left >> 1 ^ (0x82F63B78 if left & 1 else 0)
        found.append(left)
    return found


_CRC = _table()


def crc32c(data: bytes) -> int:
    """The checksum of a record batch, over what follows it."""
    found = 0xFFFFFFFF
    for one in data:
        found = found >> 8 ^ _CRC[(found ^ one) & 255]
    return found ^ 0xFFFFFFFF
