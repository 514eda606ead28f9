"""A hostile registry: whatever it answers, rows come right or an error does, soon, in little memory, in plain text.

| | here | in Go (kafarr/registry) |
|---|---|---|
| size, pace and form of an answer of HTTP | `ANSWERS` | failure_test.go, FuzzAnswer |
| redirects | `REDIRECTS` | failure_test.go, login_test.go |
| JSON | `CONTENTS` | failure_test.go |
| schemas | `SCHEMAS` | kafarr/format/avro: limits_test.go, hostile_test.go, limits_cost_test.go |
| references: circles, thousands, names | `REFERENCES` | lookup_test.go |

Connections that break: test_scan_faults.py, tests/integration/test_registry_faults.py. Token endpoints: tests/security.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import time

import pyarrow as pa
import pytest

import pykafarr
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books
from tests.memory import MIB, peak, reset_peak
from tests.servers.faulty_registry import Answer, FaultyRegistry

SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}]}
RIGHT = json.dumps({"schema": json.dumps(SCHEMA)}).encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SECRET = "hunter2-secret"


def http(headers: bytes, body: bytes = b"", **more: object) -> Answer:
    return Answer(200, raw=OK + headers + b"\r\n" + body, **more)


def redirect(where: bytes) -> Answer:
    return Answer(302, raw=b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + where + b"\r\n\r\n")


def schema(text: object) -> Answer:
    return Answer(200, json.dumps({"schema": text if isinstance(text, str) else json.dumps(text)}).encode())


def record(*fields: object) -> dict[str, object]:
    return {"type": "record", "name": "R", "fields": fields}


def nested(levels: int) -> object:
    found: object = "int"
    for _ in range(levels):
        found = {"type": "map", "values": found}
    return found


# What is said of each; None: all rows come.
ANSWERS: dict[str, tuple[Answer, str | None]] = {
    "a body without end": (Answer(200, raw=OK + b"\r\n", more=b" " * 65536), "longer than 16 MiB"),
    "chunks without end": (
        Answer(200, raw=OK + b"Transfer-Encoding: chunked\r\n\r\n", more=b"4\r\n    \r\n" * 8192),
        "longer than 16 MiB|no answer within",
    ),
    "a byte at a time": (Answer(200, raw=OK + b"\r\n", more=b" ", pause=0.02), "no answer within"),
    "headers without end": (Answer(200, raw=OK, more=b"X: y\r\n" * 8192), "."),
    "a header without end": (Answer(200, raw=OK + b"X: ", more=b"y" * 65536), "."),
    "a first line without end": (Answer(200, raw=b"HTTP/1.1 200 ", more=b"y" * 65536), "."),
    "a header at a time": (Answer(200, raw=OK, more=b"X: y\r\n", pause=0.02), "no answer within"),
    "100 Continue without end": (Answer(200, raw=b"", more=b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), "."),
    "a bomb": (http(b"Content-Encoding: gzip\r\n", 1024 * gzip.compress(bytes(MIB))), "longer than 16 MiB"),
    "what is not gzip": (http(b"Content-Encoding: gzip\r\n", RIGHT), "gzip"),
    "a length below zero": (http(b"Content-Length: -1\r\n", RIGHT), "."),
    "two lengths": (http(b"Content-Length: 5\r\nContent-Length: 7\r\n", RIGHT), "."),
    "a length of exabytes": (http(b"Content-Length: 9000000000000000000\r\n", RIGHT), "."),
    "a chunk of exabytes": (http(b"Transfer-Encoding: chunked\r\n\r\n7FFFFFFFFFFFFFFF\r\n", RIGHT), "."),
    "HTTP 9": (Answer(200, raw=b"HTTP/9.9 200 OK\r\n\r\n" + RIGHT), None),
    "status 0": (Answer(200, raw=b"HTTP/1.1 000 OK\r\n\r\n" + RIGHT), "."),
    "another protocol": (http(b"Upgrade: websocket\r\nConnection: Upgrade\r\n", RIGHT), None),
    "another type": (Answer(200, RIGHT, "image/png"), None),
    "an error of 10 MB": (
        Answer(500, json.dumps({"error_code": 500, "message": "\x1b]52;c;\x07" + "x" * 10 * MIB}).encode()),
        "500",
    ),
    "an error with the password": (Answer(401, json.dumps({"error_code": 401, "message": SECRET}).encode()), "401"),
    "an error of a number without end": (Answer(500, b'{"error_code": 1e999, "message": 5}'), "500"),
}

REDIRECTS: dict[str, tuple[Answer, str | None]] = {
    "to itself": (redirect(b"/schemas/ids/1"), "more than 10 redirects"),
    "to a file": (redirect(b"file:///etc/passwd"), "."),
    "to nowhere": (redirect(b"http://127.0.0.1:1/"), "refused"),
    "to no address": (redirect(b"http://[::1"), "."),
    "to control characters": (redirect(b"/\x01\x1b[31m"), "."),
    "without a place": (Answer(302, raw=b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), "."),
}

CONTENTS: dict[str, tuple[Answer, str | None]] = {
    "a schema that is a number": (Answer(200, b'{"schema": 5}'), "JSON of another form"),
    "a schema that is JSON": (Answer(200, json.dumps({"schema": SCHEMA}).encode()), "JSON of another form"),
    "an id that is a text": (Answer(200, b'{"id": "7", ' + RIGHT[1:]), "JSON of another form"),
    "a type that is a number": (Answer(200, b'{"schemaType": 7, ' + RIGHT[1:]), "JSON of another form"),
    "another type": (Answer(200, b'{"schemaType": "\\u001b[31mNONE", ' + RIGHT[1:]), "NONE"),
    "references that are a text": (Answer(200, b'{"references": "a", ' + RIGHT[1:]), "JSON of another form"),
    "a version that is a text": (
        Answer(200, b'{"references": [{"name": "A", "subject": "a", "version": "1"}], ' + RIGHT[1:]),
        "JSON of another form",
    ),
    "a schema twice": (Answer(200, b'{"schema": "", ' + RIGHT[1:]), None),
    "deep JSON": (Answer(200, b'{"schema": ' + b"[" * 10**6), "."),
    "ten thousand keys": (Answer(200, b"{" + b"".join(b'"%d": 1, ' % n for n in range(10_000)) + RIGHT[1:]), None),
    "bytes that are no text": (Answer(200, b'{"schema": "\xff\xfe"}'), "."),
    "zeros": (Answer(200, bytes(MIB)), "."),
}

SCHEMAS: dict[str, tuple[Answer, str | None]] = {
    "no schema": (schema("{"), "."),
    "deep JSON": (schema("[" * 10**6), "."),
    "maps in maps": (schema(nested(30)), "."),
    "deeper than Arrow": (schema(nested(100)), "."),
    "too many columns": (schema(record(*({"name": f"f{n}", "type": "int"} for n in range(20_001)))), "columns"),
    "a name of control characters": (schema(record({"name": "\x1b[31mx\n", "type": "int"})), "name"),
    "a name of a megabyte": (schema(record({"name": "x" * MIB, "type": "wrong"})), "."),
    "a fixed of 2 GB": (schema(record({"name": "x", "type": {"type": "fixed", "name": "F", "size": 2**31 - 1}})), "."),
    "a fixed below zero": (schema(record({"name": "x", "type": {"type": "fixed", "name": "F", "size": -1}})), "size"),
    "a circle of itself": (schema(record({"name": "x", "type": "R"})), "R"),
    "an unknown type": (schema(record({"name": "x", "type": "\x1b]52;c;\x07"})), "."),
}


def referring(*references: dict[str, object]) -> bytes:
    return json.dumps({"schema": json.dumps(SCHEMA), "references": references, "id": 1}).encode()


A = {"name": "A", "subject": "a", "version": 1}
REFERENCES: dict[str, tuple[Answer, str | None]] = {
    "a circle": (Answer(200, referring(A)), "circle"),
    "thousands": (Answer(200, referring(*({**A, "version": n} for n in range(1, 3000)))), "."),
    "another path": (Answer(200, referring({**A, "subject": "../../../config", "version": -(2**31)})), "."),
    "a name of control characters": (Answer(200, referring({**A, "subject": "\x1b]52;c;\x07" + "x" * MIB})), "."),
}

KINDS = {"answer": ANSWERS, "redirect": REDIRECTS, "content": CONTENTS, "schema": SCHEMAS, "reference": REFERENCES}
MODES = {f"{kind}: {name}": mode for kind, modes in KINDS.items() for name, mode in modes.items()}


@pytest.fixture(scope="module")
def kafka():
    with MockKafka(topics={"T": 1}) as made:
        made.produce("T", SCHEMA, [{"x": number} for number in range(10)])
        yield made


@pytest.fixture
def registry(kafka):
    with contextlib.closing(FaultyRegistry(kafka.registry_url)) as made:
        yield made


LOGIN = {"basic.auth.user.info": f"anna:{SECRET}", "max.retries": 0}


def rows(kafka: MockKafka, registry: FaultyRegistry, timeout: int = 20_000) -> list[int]:
    """What a scan reads."""
    login = {**LOGIN, "request.timeout.ms": timeout * 3 // 4}
    options = {"config": {"fetch.wait.max.ms": 10}, "registry_config": login, "timeout": timeout}
    with pykafarr.read(kafka.servers, "T", registry.url, **options) as stream:
        return [value for batch in stream for value in pa.table(batch)["x"].to_pylist()]


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_hostile_registry_costs_an_error_and_no_more(kafka, registry, mode):
    answer, words = mode
    registry.fault = lambda _path: answer
    reset_peak()
    before, begun = peak(), time.monotonic()
    if words is None:
        assert rows(kafka, registry) == list(range(10))
    else:
        # Where the machine is slow, the time is over first.
        with pytest.raises(pykafarr.KafarrError, match=f"{words}|not answered within|no answer within") as raised:
            rows(kafka, registry, 300)
        text = str(raised.value)
        assert len(text) < 5000
        assert text.isprintable()
        assert SECRET not in text
    assert time.monotonic() - begun < 20
    assert peak() - before < 512 * MIB


def test_a_redirect_to_another_server_takes_no_login_along(kafka, registry):
    with contextlib.closing(FaultyRegistry(kafka.registry_url)) as other:
        registry.fault = lambda path: redirect(other.url.encode() + path.encode())
        assert rows(kafka, registry) == list(range(10))
        assert set(other.logins) == {None}
        assert all(login.startswith("Basic ") for login in registry.logins)


@pytest.mark.parametrize("errors", ["skip", "collect"])
def test_a_listener_passes_no_row_because_of_a_hostile_registry(kafka, registry, errors):
    # Each is met once; after it the listener waits longer before it asks again.
    modes = iter([ANSWERS["headers without end"][0], REDIRECTS["to itself"][0], CONTENTS["a schema that is JSON"][0]])
    registry.fault = lambda _path: next(modes, None)
    config = {"auto.offset.reset": "earliest"}
    with pykafarr.listener(
        kafka.servers, f"g-{errors}", "T", registry.url, errors=errors, config=config, registry_config=LOGIN
    ) as p:
        found: list[int] = []
        deadline = time.monotonic() + 60
        while len(found) < 10 and time.monotonic() < deadline:
            with contextlib.suppress(pykafarr.RegistryError):
                batch = p.poll_batch(10, 2000)
                found += pa.table(batch)["x"].to_pylist() if batch else []
        assert found == list(range(10))
        assert next(modes, None) is None
        assert p.stats()["skipped"] == 0
