"""Every type comes through exactly, with the Arrow type and the pandas dtype that its schema promises."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

STR = pd.StringDtype(storage="pyarrow", na_value=np.nan)
SYMBOLS = ["SPADES", "HEARTS", "DIAMONDS", "CLUBS"]


class Case(NamedTuple):
    avro: Any  # the type where it is first mentioned
    values: list[Any]
    arrow: pa.DataType
    dtype: Any
    nullable_dtype: Any
    again: Any = None  # the type where it is mentioned again: named types by their name

    def schema(self) -> dict[str, Any]:
        """A record of the type as it is and of its unions with null in either order."""
        again = self.again or self.avro
        types = {"plain": self.avro, "null_first": ["null", again], "null_last": [again, "null"]}
        fields = [{"name": name, "type": avro} for name, avro in types.items()]
        return {"type": "record", "name": "Row", "namespace": "com.example", "fields": fields}

    def records(self) -> list[dict[str, Any]]:
        rows = [{"plain": value, "null_first": value, "null_last": value} for value in self.values]
        plain = self.values[0]
        return [*rows, {"plain": plain, "null_first": None, "null_last": None}, rows[-1]]


CASES = {
    "boolean": Case("boolean", [True, False], pa.bool_(), np.dtype(bool), pd.ArrowDtype(pa.bool_())),
    "int": Case(
        "int",
        [0, -1, 63, 64, -64, -65, 2**31 - 1, -(2**31)],
        pa.int32(),
        np.dtype("int32"),
        pd.ArrowDtype(pa.int32()),
    ),
    "long": Case(
        "long",
        [0, -1, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)],
        pa.int64(),
        np.dtype("int64"),
        pd.ArrowDtype(pa.int64()),
    ),
    "float": Case(
        "float",
        [0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, float(np.float32(3.4e38)), float(np.float32(1e-45))],
        pa.float32(),
        np.dtype("float32"),
        pd.ArrowDtype(pa.float32()),
    ),
    "double": Case(
        "double",
        [0.0, -0.0, 0.1, math.pi, math.inf, -math.inf, math.nan, 1.7976931348623157e308, 5e-324],
        pa.float64(),
        np.dtype("float64"),
        pd.ArrowDtype(pa.float64()),
    ),
    "string": Case("string", ["", "plain", "Grüße, 世界", "𝄞🎼", "a\0b", "long " * 500], pa.string(), STR, STR),
    "bytes": Case(
        "bytes",
        [b"", b"\0", bytes(range(256)), b"long " * 500],
        pa.binary(),
        pd.ArrowDtype(pa.binary()),
        pd.ArrowDtype(pa.binary()),
    ),
    "fixed": Case(
        {"type": "fixed", "name": "Four", "size": 4},
        [b"\0\0\0\0", b"abcd", b"\xff\xfe\xfd\xfc"],
        pa.binary(4),
        pd.ArrowDtype(pa.binary(4)),
        pd.ArrowDtype(pa.binary(4)),
        again="Four",
    ),
    "enum": Case(
        {"type": "enum", "name": "Suit", "symbols": SYMBOLS},
        ["CLUBS", "SPADES"],
        pa.dictionary(pa.int32(), pa.string()),
        pd.CategoricalDtype(SYMBOLS),
        pd.CategoricalDtype(SYMBOLS),
        again="Suit",
    ),
}


def same(left: Any, right: Any) -> bool:
    """Equality that knows NaN and the sign of zero."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isnan(left) if math.isnan(right) else left.hex() == right.hex()
    return type(left) is type(right) and bool(left == right)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_type_and_its_nullables_come_through_exactly(case, writer, topic, listen):
    records = case.records()
    writer.write(topic, case.schema(), records)

    batch = listen().poll_batch(len(records), 5000)

    assert batch.message_type == "com.example.Row"
    assert batch.schema == pa.schema(
        [
            pa.field("plain", case.arrow, nullable=False),
            pa.field("null_first", case.arrow),
            pa.field("null_last", case.arrow),
            pa.field("_offset", pa.int64(), nullable=False),
        ]
    )
    for name in ("plain", "null_first", "null_last"):
        found = batch.to_arrow().column(name).to_pylist()
        expected = [record[name] for record in records]
        assert len(found) == len(expected)
        assert all(map(same, found, expected)), f"{name}: {found} instead of {expected}"

    frame = batch.to_pandas()
    assert frame.dtypes.to_dict() == {
        "plain": case.dtype,
        "null_first": case.nullable_dtype,
        "null_last": case.nullable_dtype,
        "_offset": np.dtype("int64"),
    }
    assert list(frame["null_first"].isna()).count(True) >= 1
    assert list(frame["_offset"]) == list(range(len(records)))


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 1000])
def test_a_column_of_nulls_alone_has_the_dtype_of_its_schema(rows, writer, topic, listen):
    schema = {
        "type": "record",
        "name": "Empty",
        "fields": [
            {"name": "nothing", "type": "null"},
            {"name": "long", "type": ["null", "long"]},
            {"name": "string", "type": ["null", "string"]},
        ],
    }
    writer.write(topic, schema, [{"nothing": None, "long": None, "string": None}] * rows)

    message_type, frame = listen().poll(rows, 5000)

    assert message_type == "Empty"
    assert len(frame) == rows
    assert frame.dtypes.to_dict() == {
        "nothing": pd.ArrowDtype(pa.null()),
        "long": pd.ArrowDtype(pa.int64()),
        "string": STR,
        "_offset": np.dtype("int64"),
    }
    assert frame[["nothing", "long", "string"]].isna().all(axis=None)


def test_longs_past_2_to_the_53_keep_their_digits_beside_a_null(writer, topic, listen):
    schema = {"type": "record", "name": "N", "fields": [{"name": "n", "type": ["null", "long"]}]}
    writer.write(topic, schema, [{"n": 2**53 + 1}, {"n": None}, {"n": -(2**63)}])

    _, frame = listen().poll(3, 5000)

    assert frame["n"].dtype == pd.ArrowDtype(pa.int64())
    assert [None if pd.isna(n) else int(n) for n in frame["n"]] == [2**53 + 1, None, -(2**63)]


def test_an_enum_keeps_its_codes_whatever_a_batch_holds(writer, topic, listen):
    schema = {
        "type": "record",
        "name": "Card",
        "fields": [{"name": "suit", "type": {"type": "enum", "name": "Suit", "symbols": SYMBOLS}}],
    }
    writer.write(topic, schema, [{"suit": "CLUBS"}, {"suit": "HEARTS"}])
    listener = listen()

    for symbol in ("CLUBS", "HEARTS"):
        column = listener.poll_batch(1, 5000).to_arrow().column("suit")
        assert column.dictionary.to_pylist() == SYMBOLS
        assert column.indices.to_pylist() == [SYMBOLS.index(symbol)]


@pytest.mark.parametrize(
    ("schema", "message_type", "values", "arrow"),
    [
        ("string", "string", ["", "one", "zwölf"], pa.string()),
        ("long", "long", [0, 2**63 - 1], pa.int64()),
        (
            {"type": "fixed", "name": "Two", "namespace": "com.example", "size": 2},
            "com.example.Two",
            [b"ab"],
            pa.binary(2),
        ),
    ],
    ids=["string", "long", "fixed"],
)
def test_a_message_that_is_no_record_is_one_column(schema, message_type, values, arrow, writer, topic, listen):
    writer.write(topic, schema, values)

    batch = listen().poll_batch(len(values), 5000)

    assert batch.message_type == message_type
    assert batch.schema.field("value").type == arrow
    assert batch.to_arrow().column("value").to_pylist() == values


def test_a_wide_record_of_all_types_agrees_with_fastavro(writer, topic, listen):
    fastavro = pytest.importorskip("fastavro")
    import io
    import random

    fields = [
        {"name": f"{name}_{kind}", "type": avro}
        for name in ("boolean", "int", "long", "float", "double", "string", "bytes")
        for kind, avro in (("plain", name), ("nullable", ["null", name]), ("last", [name, "null"]))
    ]
    schema = {"type": "record", "name": "Wide", "namespace": "com.example", "fields": fields}
    chance = random.Random(42)
    made = {
        "boolean": lambda: chance.random() < 0.5,
        "int": lambda: chance.getrandbits(32) - 2**31,
        "long": lambda: chance.getrandbits(64) - 2**63,
        "float": lambda: float(np.float32(chance.gauss(0, 1e6))),
        "double": lambda: chance.gauss(0, 1e6),
        "string": lambda: "".join(chance.choices("aäß世🎼\0 ", k=chance.randrange(20))),
        "bytes": lambda: chance.randbytes(chance.randrange(20)),
    }
    records = [
        {
            f"{name}_{kind}": None if kind != "plain" and chance.random() < 0.3 else make()
            for name, make in made.items()
            for kind in ("plain", "nullable", "last")
        }
        for _ in range(2000)
    ]
    values = [writer.serialize(topic, schema, record) for record in records]
    writer.write_values(topic, values)
    expected = [fastavro.schemaless_reader(io.BytesIO(value[5:]), schema) for value in values]

    batch = listen(metadata=None).poll_batch(len(records), 10_000)

    assert batch.to_arrow().to_pylist() == expected
