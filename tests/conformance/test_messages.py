"""Random schemas and bodies of Protobuf: what is read here, against Google's Python (upb) and Google's Java.

A failure names its seed, which makes the same schema and bodies again. The libraries do not agree about all bodies:

* A list of a closed enum keeps a null where a number has no name. Google's libraries leave the item out.
* Texts of proto2 must be UTF-8 here, for a column of text holds nothing else.
* Of a varint of ten bytes Google's Go refuses what does not fit into 64 bits, as this library does. The others drop it.
* upb drops an entry of a map that has an unknown field in it.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from google.protobuf.message import DecodeError

import pykafarr
from tests.conformance.messages import Maker, javas, ours, upbs

CHUNKS = 4
CASES = 10  # in a chunk
ROWS = 10
STRICTER = ("is not valid UTF-8", "a varint is longer than 10 bytes")


def decoder_of(maker: Maker) -> pykafarr.Decoder:
    schema = base64.b64encode(maker.file.SerializeToString()).decode()
    return pykafarr.Decoder(schema, value="protobuf", message_type="t.T")


def read(maker: Maker, decoder: pykafarr.Decoder, body: bytes) -> dict[str, Any] | str:
    """What becomes of a body: its value, or its error."""
    try:
        (row,) = decoder.decode([body]).to_pylist()
    except pykafarr.DecodeError as e:
        return str(e)
    return ours(maker.descriptor, row)


def googles(maker: Maker, body: bytes) -> dict[str, Any] | None:
    """What Google's Python makes of a body; None is an error."""
    try:
        return upbs(maker.type.FromString(body))
    except DecodeError:
        return None


def as_columns(maker: Maker, found: Any, wanted: Any) -> Any:
    """What is found, without the nulls in lists of closed enums that the other library leaves out."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return {name: as_columns(maker, value, wanted.get(name)) for name, value in found.items()}
    if not isinstance(found, list) or not isinstance(wanted, list):
        return found
    if not maker.proto3:
        found = [item for item in found if item is not None]
    if len(found) != len(wanted):
        return found
    return [as_columns(maker, *pair) for pair in zip(found, wanted, strict=True)]


def compare(maker: Maker, body: bytes, found: Any, wanted: Any, seed: int) -> None:
    """A value or an error (a text, or None for one of any words), against what the other library made of the body."""
    if isinstance(found, str):
        assert wanted is None or found.endswith(STRICTER), (seed, body.hex(), found)
        return
    assert wanted is not None, (seed, body.hex(), found)
    assert as_columns(maker, found, wanted) == wanted, (seed, body.hex())


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_bodies_are_the_values_that_googles_python_reads(chunk):
    for seed in range(chunk * CASES, (chunk + 1) * CASES):
        maker = Maker(seed)
        decoder = decoder_of(maker)
        for body in [maker.body() for _ in range(ROWS)]:
            compare(maker, body, read(maker, decoder, body), googles(maker, body), seed)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_damaged_bodies_are_errors_where_they_are_for_googles_python(chunk):
    for seed in range(chunk * CASES, (chunk + 1) * CASES):
        maker = Maker(seed)
        decoder = decoder_of(maker)
        for body in [maker.damaged(body) for body in (maker.body() for _ in range(ROWS)) if body]:
            found = read(maker, decoder, body)
            stricter = isinstance(found, str) and found.endswith(STRICTER)
            assert stricter or isinstance(found, str) == (googles(maker, body) is None), (seed, body.hex(), found)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_bodies_are_the_values_that_googles_java_reads(messages, chunk):
    for seed in range(chunk * CASES, (chunk + 1) * CASES):
        maker = Maker(seed)
        decoder = decoder_of(maker)
        bodies = [maker.body() for _ in range(ROWS)]
        request = {"file": maker.file.SerializeToString().hex(), "type": "T", "bodies": [body.hex() for body in bodies]}
        for body, row in zip(bodies, messages.ask(request)["rows"], strict=True):
            wanted = javas(maker.descriptor, row["value"]) if "value" in row else None
            compare(maker, body, read(maker, decoder, body), wanted, seed)
