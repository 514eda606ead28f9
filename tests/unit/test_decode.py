"""Bare Avro bodies to Arrow, against fastavro's encoder."""

import io
from typing import Any

import fastavro
import pyarrow as pa
import pytest

import pykafarr


def encode(schema: Any, *values: Any) -> list[bytes]:
    parsed = fastavro.parse_schema(schema)
    bodies = []
    for value in values:
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, parsed, value)
        bodies.append(stream.getvalue())
    return bodies


def record(**fields: Any) -> dict[str, Any]:
    return {
        "type": "record",
        "name": "R",
        "namespace": "com.example",
        "fields": [{"name": name, "type": kind} for name, kind in fields.items()],
    }


ENUM = {"type": "enum", "name": "E", "symbols": ["RED", "GREEN", "BLUE"]}
FIXED = {"type": "fixed", "name": "F", "size": 3}
TYPES = {
    "null": ("null", pa.null(), [None, None]),
    "boolean": ("boolean", pa.bool_(), [True, False, True]),
    "int": ("int", pa.int32(), [0, -1, 2**31 - 1, -(2**31)]),
    "long": ("long", pa.int64(), [0, -1, 2**53 + 1, 2**63 - 1, -(2**63)]),
    "float": ("float", pa.float32(), [0.0, -1.5, float("inf")]),
    "double": ("double", pa.float64(), [0.0, -1.1, 1e308]),
    "bytes": ("bytes", pa.binary(), [b"", b"\0\xff", b"x" * 1000]),
    "string": ("string", pa.string(), ["", "ü€𝄞", "x" * 1000]),
    "fixed": (FIXED, pa.binary(3), [b"abc", b"\0\0\0"]),
    "enum": (ENUM, pa.dictionary(pa.int32(), pa.string()), ["BLUE", "RED"]),
}


@pytest.mark.parametrize("name", TYPES)
def test_a_field_becomes_a_column(name):
    kind, arrow, values = TYPES[name]
    schema = record(x=kind)
    batch = pykafarr.decode(schema, encode(schema, *({"x": value} for value in values)))
    batch.validate(full=True)
    assert batch.schema.field("x").type == arrow
    assert batch.schema.field("x").nullable == (name == "null")
    assert batch["x"].to_pylist() == values


@pytest.mark.parametrize("null_first", [True, False])
@pytest.mark.parametrize("name", [name for name in TYPES if name != "null"])
def test_a_union_with_null_becomes_a_nullable_column(name, null_first):
    kind, arrow, values = TYPES[name]
    schema = record(x=["null", kind] if null_first else [kind, "null"])
    values = [None, *values, None]
    batch = pykafarr.decode(schema, encode(schema, *({"x": value} for value in values)))
    batch.validate(full=True)
    assert batch.schema.field("x").type == arrow
    assert batch.schema.field("x").nullable
    assert batch["x"].to_pylist() == values


@pytest.mark.parametrize("name", TYPES)
def test_what_is_no_record_is_one_column_named_value(name):
    kind, _, values = TYPES[name]
    batch = pykafarr.decode(kind if isinstance(kind, dict) else f'"{kind}"', encode(kind, *values))
    batch.validate(full=True)
    assert batch.schema.names == ["value"]
    assert batch["value"].to_pylist() == values


def test_an_enum_has_the_schemas_symbols_in_order():
    batch = pykafarr.decode(ENUM, encode(ENUM, "BLUE"))
    assert batch["value"].dictionary.to_pylist() == ["RED", "GREEN", "BLUE"]


def test_a_decoder_knows_its_arrow_schema_before_it_decodes():
    decoder = pykafarr.Decoder(record(a="long", b=["null", "string"]))
    assert decoder.schema == pa.schema([pa.field("a", pa.int64(), False), pa.field("b", pa.string())])
    assert decoder.decode([]).num_rows == 0


def test_a_decoder_decodes_again_and_again():
    decoder = pykafarr.Decoder('"long"')
    for count in (0, 1, 10_000, 1):
        batch = decoder.decode(encode("long", *range(count)))
        assert batch["value"].to_pylist() == list(range(count))


def test_payloads_may_be_a_slice_of_an_arrow_array():
    bodies = pa.array(encode("long", *range(100)), pa.binary())
    assert pykafarr.decode('"long"', bodies.slice(40, 3))["value"].to_pylist() == [40, 41, 42]
    chunks = pa.chunked_array([bodies.slice(0, 2), bodies.slice(98)])
    assert pykafarr.decode('"long"', chunks)["value"].to_pylist() == [0, 1, 98, 99]


def test_a_batch_outlives_its_decoder():
    decoder = pykafarr.Decoder('"long"')
    batch = decoder.decode(encode("long", *range(1000)))
    del decoder
    assert sum(batch["value"].to_pylist()) == sum(range(1000))


@pytest.mark.parametrize(
    ("kind", "good", "body"),
    [
        ("string", "x", b"\x08abc"),
        ("string", "x", b"\x01"),
        ("string", "x", b"\x04\xff\xfe"),
        ("long", 1, b""),
        ("long", 1, b"\xff" * 11),
        ("boolean", True, b"\x02"),
        (ENUM, "RED", b"\x06"),
        (FIXED, b"abc", b"ab"),
        (["null", "long"], 1, b"\x04"),
    ],
    ids=["short", "negative length", "no UTF-8", "empty", "varint", "boolean", "symbol", "short fixed", "branch"],
)
def test_a_body_that_does_not_fit_is_told_with_its_index_and_field(kind, good, body):
    schema = record(first="int", second=kind)
    payloads = [*encode(schema, {"first": 1, "second": good}), b"\x02" + body]
    with pytest.raises(pykafarr.DecodeError, match="second") as info:
        pykafarr.decode(schema, payloads)
    assert (info.value.path, info.value.offset) == ("second", 1)


def test_bytes_behind_the_value_are_an_error():
    with pytest.raises(pykafarr.DecodeError):
        pykafarr.decode('"long"', [b"\x02\x02"])


R = record(x="int", text="string")
OTHER = record(name="string", more="string")
UUID = bytes(range(16))


def container(schema: Any, *values: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.writer(stream, fastavro.parse_schema(schema), values)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (b"\0" + (17).to_bytes(4, "big"), "schema registry's header .*the id 17 .*payload\\[5:\\], or read the topic"),
        (b"\0" + (17).to_bytes(8, "big"), "Apicurio's header .*the id 17 .*payload\\[9:\\].*apicurio"),
        (b"\xc3\1" + bytes(8), "single-object header .*0000000000000000.*payload\\[10:\\]"),
        (b"\3\0" + UUID, "AWS Glue's schema registry .*00010203-0405-.*payload\\[18:\\]"),
        (bytes(4) + b"0123456789abcdef" * 2, "Azure's schema registry .*payload\\[36:\\]"),
    ],
    ids=["registry", "Apicurio", "single object", "Glue", "Azure"],
)
def test_a_framed_payload_is_recognized_and_the_error_says_what_to_pass(header, says):
    bodies = encode(R, {"x": 1, "text": "a"}, {"x": 2, "text": "b"})
    with pytest.raises(pykafarr.DecodeError, match=f"payload 1: .*{says}") as info:
        pykafarr.decode(R, [bodies[0], header + bodies[1]])
    assert info.value.offset == 1
    assert "what follows decodes" in str(info.value)

    (of_another_schema,) = encode(OTHER, {"name": "a", "more": "b" * 100})
    with pytest.raises(pykafarr.DecodeError, match="with the schema that it was written with"):
        pykafarr.decode(R, [header + of_another_schema])


def test_an_avro_file_is_recognized_as_one():
    with pytest.raises(pykafarr.DecodeError, match=r"look like an Avro object-container file .*: read it with .*fast"):
        pykafarr.decode(R, [container(R, {"x": 1, "text": "a"})])


def test_an_error_of_a_bare_body_speaks_of_no_framing():
    with pytest.raises(pykafarr.DecodeError) as info:
        pykafarr.decode(R, [b"\2\x08ab"])
    assert "look like" not in str(info.value)


@pytest.mark.parametrize(
    "schema",
    ["", "{", '"lang"', {"type": "record", "name": "R"}, {"type": "enum", "name": "E"}, record(a="Unknown")],
    ids=str,
)
def test_an_invalid_schema_is_a_schema_error(schema):
    with pytest.raises(pykafarr.SchemaError):
        pykafarr.Decoder(schema)
