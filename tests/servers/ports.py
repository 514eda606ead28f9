"""Free ports on loopback."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

HOST = "127.0.0.1"

# Every port that this process has been given. A server that starts later, or starts again, still needs its port, so
# that nobody else may be given it although nothing listens on it at the moment.
_given: set[int] = set()


def free(count: int) -> list[int]:
    """So many ports that nothing listens on, and that no earlier call has given.

    Below the range from which the system takes ports for outgoing connections: a client that keeps trying to reach a
    stopped server on a port of that range will in the end be given this very port and connect to itself, and the
    server cannot come back.
    """
    candidates = random.sample(sorted(set(range(10_000, _first_ephemeral())) - _given), 2000)
    with contextlib.ExitStack() as held:  # all are held until the last is found, so that none is found twice
        found: list[int] = []
        for port in candidates:
            candidate = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                candidate.bind((HOST, port))
                found.append(port)
            if len(found) == count:
                _given.update(found)
                return found
    raise RuntimeError("no free port was found")


def _first_ephemeral() -> int:
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        first = 32_768  # Linux's default
    return max(first, 15_000)
