"""A Python program for LeakSanitizer to watch: reader.py SERVERS REGISTRY TOPIC GROUP ROWS [leak].

Reads the topic with two listeners, decodes without a broker, fails, and lets LeakSanitizer look while Python still
lives: as it ends, Python leaves objects of its own behind.
"""

import contextlib
import ctypes
import gc
import sys

import pykafarr
from pykafarr._library.library import library


def read(servers: str, registry_url: str, topic: str, group: str, rows: int) -> None:
    config = {"auto.offset.reset": "earliest"}
    metadata = ("offset", "topic", "timestamp", "key", "headers")
    with pykafarr.listener(
        servers, group, topic, registry_url, config=config, errors="skip", metadata=metadata
    ) as listener:
        while rows > 0:
            rows -= len(listener.poll(min(rows, 500), 500)[1])


def decode() -> None:
    assert pykafarr.decode('"long"', [b"\x02", b"\x04"])["value"].to_pylist() == [1, 2]
    with contextlib.suppress(pykafarr.SchemaError):
        pykafarr.decode('"no such type"', [b"\x80"])
    with contextlib.suppress(pykafarr.DecodeError):
        pykafarr.decode('"long"', [b"\x80"])


def main() -> None:
    *place, rows = sys.argv[1:6]
    for _ in range(2):
        read(*place, int(rows) // 2)
    decode()
    if sys.argv[6:] == ["leak"]:
        for _ in range(16):  # a copy of the last pointer may lie about, and would count as in use
            library().lib.kafarr_testing_leak(1000)
    gc.collect()
    print(f"{library().lib.kafarr_live_bytes()} bytes alive", flush=True)
    # The one text that is never freed is known to Go only, into whose heap LeakSanitizer does not look.
    known = library().ffi.new("const char *[1]", [library().lib.kafarr_version()])
    ctypes.CDLL(None).__lsan_do_leak_check()  # ends the process if there is a leak
    print("no leak", known)


if __name__ == "__main__":
    main()
