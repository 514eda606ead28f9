"""How payloads reach the decoder: as one Arrow array with 64-bit offsets, read in place."""

import ctypes

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pykafarr
from pykafarr._batches.decoder import _addresses, _large_binary
from pykafarr._options.schemas import schema_text

BODIES = [b"abc", b"", b"\0\xff"]


def as_c_sees_it(array: pa.LargeBinaryArray) -> list[bytes]:
    offsets_at, data_at = _addresses(array)
    if not len(array):
        return []
    offsets = (ctypes.c_int64 * (len(array) + 1)).from_address(offsets_at)
    return [ctypes.string_at(data_at + offsets[i], offsets[i + 1] - offsets[i]) for i in range(len(array))]


@pytest.mark.parametrize(
    "payloads",
    [
        BODIES,
        tuple(BODIES),
        (body for body in BODIES),
        [bytearray(body) for body in BODIES],
        [memoryview(body) for body in BODIES],
        np.array(BODIES, dtype=object),
        pa.array(BODIES, pa.binary()),
        pa.array(BODIES, pa.large_binary()),
        pa.array(BODIES, pa.binary_view()),
        pa.array([b"before", *BODIES, b"after"], pa.binary()).slice(1, 3),
        pa.array([b"before", *BODIES, b"after"], pa.large_binary()).slice(1, 3),
        pa.chunked_array([BODIES[:1], BODIES[1:], []], pa.binary()),
        pa.chunked_array([pa.array([b"x", *BODIES[:1]]), pa.array([*BODIES[1:], b"y"])]).slice(1, 3),
        pl.Series(BODIES),
        pd.Series(BODIES, dtype=pd.ArrowDtype(pa.binary())),
        pd.Series(BODIES, dtype=object),
    ],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'type', '')}",
)
def test_bodies_arrive_from_whatever_holds_bytes(payloads):
    assert as_c_sees_it(_large_binary(payloads)) == BODIES


@pytest.mark.parametrize(
    "payloads",
    [
        [],
        pa.array([], pa.binary()),
        pa.array(BODIES).slice(3),
        pa.chunked_array([], pa.large_binary()),
        pl.Series([], dtype=pl.Binary),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_bodies_are_no_rows(payloads):
    assert as_c_sees_it(_large_binary(payloads)) == []


def test_empty_bodies_are_rows():
    assert as_c_sees_it(_large_binary([b"", b""])) == [b"", b""]


def test_fixed_size_bodies_are_taken():
    assert as_c_sees_it(_large_binary(pa.array([b"ab", b"cd"], pa.binary(2)))) == [b"ab", b"cd"]


def test_a_large_binary_array_is_read_in_place():
    array = pa.array(BODIES, pa.large_binary())
    assert _addresses(_large_binary(array)) == tuple(buffer.address for buffer in array.buffers()[1:])


@pytest.mark.parametrize(
    "payloads",
    [
        b"abc",
        "abc",
        1,
        None,
        {b"a": 1},
        ["a"],
        [b"a", None],
        [b"a", 1],
        pa.array(["a"]),
        pa.array([1]),
        pa.array([None]),
        pl.Series(["a"]),
    ],
    ids=lambda payloads: f"{type(payloads).__name__} of {payloads!r}"[:40].split(" object at ")[0],
)
def test_what_holds_no_bytes_is_a_type_error(payloads):
    with pytest.raises(TypeError, match="payloads must be"):
        _large_binary(payloads)


@pytest.mark.parametrize(
    "payloads",
    [pa.array([b"a", None]), pa.chunked_array([[b"a"], [None, None]], pa.binary())],
    ids=["array", "chunked"],
)
def test_nulls_are_refused(payloads):
    with pytest.raises(pykafarr.ConfigError, match=r"payloads must not hold nulls: there are \d"):
        _large_binary(payloads)


def test_a_schema_is_text_or_what_the_text_stands_for():
    assert schema_text('"long"') == '"long"'
    assert schema_text({"type": "long"}) == '{"type": "long"}'
    assert schema_text(["null", "long"]) == '["null", "long"]'
    for wrong in (None, 1, b'"long"'):
        with pytest.raises(TypeError, match="schema must be a str, dict or list"):
            schema_text(wrong)
