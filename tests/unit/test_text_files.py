"""Files of texts at the command line: what `read` writes, `write` takes back, and nothing is lost in silence."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from typing import TYPE_CHECKING, Any

import pytest

import pykafarr
from pykafarr._cli.main import main
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INNER = {
    "type": "record",
    "name": "Leg",
    "fields": [
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "raw", "type": ["null", "bytes"]},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    ],
}
TYPES: dict[str, Any] = {
    "text": "string",
    "maybe": ["null", "string"],
    "raw": ["null", "bytes"],
    "hash": {"type": "fixed", "name": "Hash", "size": 4},
    "flag": "boolean",
    "whole": "int",
    "long": ["null", "long"],
    "single": "float",
    "double": ["null", "double"],
    "price": {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 4},
    "side": {"type": "enum", "name": "Side", "symbols": ["BUY", "SELL"]},
    "id": {"type": "string", "logicalType": "uuid"},
    "day": ["null", {"type": "int", "logicalType": "date"}],
    "clock": {"type": "long", "logicalType": "time-micros"},
    "short": {"type": "int", "logicalType": "time-millis"},
    "at": {"type": "long", "logicalType": "timestamp-micros"},
    "exact": ["null", {"type": "long", "logicalType": "timestamp-nanos"}],
    "local": {"type": "long", "logicalType": "local-timestamp-millis"},
    "wait": {"type": "fixed", "name": "Wait", "size": 12, "logicalType": "duration"},
    "tags": {"type": "map", "values": ["null", "long"]},
    "legs": ["null", {"type": "array", "items": INNER}],
    "either": ["null", "string", "long"],
}
SCHEMA = {"type": "record", "name": "P", "fields": [{"name": name, "type": kind} for name, kind in TYPES.items()]}
UTC = dt.timezone.utc


def frame() -> Any:
    import pandas as pd
    import pyarrow as pa

    interval = pa.MonthDayNano([1, 2, 3_004_000_000])
    legs = [{"day": dt.date(2024, 1, 2), "raw": b"\0\xff", "price": decimal.Decimal("1.10")}]
    first = {
        "text": 'a,"b"\r\nc é\0', "maybe": "", "raw": b"\xff\0\r\n", "hash": b"\0\1\2\3", "flag": True,
        "whole": -(2**31), "long": 2**63 - 1, "single": 0.5, "double": 0.1,
        "price": decimal.Decimal("12345678901234567890.1000"),
        "side": "SELL", "id": "12345678-1234-5678-1234-567812345678", "day": dt.date(1, 1, 1),
        "clock": dt.time(23, 59, 59, 999999), "short": dt.time(1, 2, 3, 4000),
        "at": dt.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        "exact": pd.Timestamp("2024-01-02T03:04:05.123456789Z"),
        "local": dt.datetime.fromisoformat("1969-12-31T23:59:59.999"),
        "wait": interval, "tags": {"x": 1, "y": None},
        "legs": legs, "either": {"string": None, "long": 7},
    }  # fmt: skip
    second = {
        **first, "text": "", "maybe": None, "raw": b"", "long": -(2**63), "single": math.inf, "double": 5e-324,
        "day": None, "exact": None, "tags": {}, "legs": [], "either": {"string": "NA", "long": None}, "flag": False,
    }  # fmt: skip
    third = {
        **second,
        "text": " 007 ",
        "maybe": "NA",
        "raw": None,
        "long": None,
        "double": None,
        "legs": None,
        "either": None,
    }
    leg = pa.struct([("day", pa.date32()), ("raw", pa.binary()), ("price", pa.decimal128(9, 2))])
    kinds = {
        **dict.fromkeys(("text", "maybe", "side", "id"), pa.string()),
        "raw": pa.binary(),
        "hash": pa.binary(4),
        "flag": pa.bool_(),
        "whole": pa.int32(),
        "long": pa.int64(),
        "single": pa.float32(),
        "double": pa.float64(),
        "price": pa.decimal128(30, 4),
        "day": pa.date32(),
        "clock": pa.time64("us"),
        "short": pa.time32("ms"),
        "at": pa.timestamp("us", "UTC"),
        "exact": pa.timestamp("ns", "UTC"),
        "local": pa.timestamp("ms"),
        "wait": pa.month_day_nano_interval(),
        "tags": pa.map_(pa.string(), pa.int64()),
        "legs": pa.list_(leg),
        "either": pa.struct([("string", pa.string()), ("long", pa.int64())]),
    }
    schema = pa.schema([(name, kinds[name]) for name in first])
    table = pa.Table.from_pylist([first, second, third], schema)
    beside = {
        "_key": pa.array([b"\0k\xff", b"text", None], pa.binary()),
        "_timestamp": pa.array([1, 2, 1700000000123], pa.timestamp("ms", "UTC")),
        "_headers": pa.array(
            [[{"key": "h", "value": b"\xff"}, {"key": "h", "value": None}], [], [{"key": "é", "value": b""}]],
            pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())])),
        ),
    }
    for name, column in beside.items():
        table = table.append_column(name, column)
    return table


@pytest.fixture
def kafka() -> Iterator[MockKafka]:
    with MockKafka(topics={"PRICES": 1, "COPIES": 1}) as made:
        yield made


@pytest.fixture
def to(kafka: MockKafka) -> list[str]:
    return ["--servers", kafka.servers, "--registry", kafka.registry_url, "--register"]


def rows(kafka: MockKafka, topic: str) -> Any:
    metadata = ("key", "timestamp", "headers")
    with pykafarr.scan(kafka.servers, topic, kafka.registry_url, metadata=metadata, key="bytes").read() as stream:
        return stream.to_arrow("P")


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_what_read_writes_is_taken_back_as_the_same_messages(
    kafka: MockKafka, to: list[str], tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pykafarr.producer(kafka.servers, kafka.registry_url) as out:
        out.send("P", frame(), "PRICES", schema=SCHEMA, register=True, wait=True)
    copy = str(tmp_path / f"copy.{ending}")
    where = ["--servers", kafka.servers, "--registry", kafka.registry_url]
    metadata = ["--metadata", "key", "timestamp", "headers"]
    assert main(["read", *where, "--topics", "PRICES", "--key", "bytes", *metadata, "--output", copy]) == 0
    (tmp_path / "p.avsc").write_text(json.dumps(SCHEMA))
    given = ["write", copy, *to, "--topic", "COPIES", "--schema", str(tmp_path / "p.avsc")]
    assert main(given) == 1  # nobody has said whether keys are texts or bytes
    assert "--key-format base64" in capsys.readouterr().err
    assert main([*given, "--key-format", "base64"]) == 0, capsys.readouterr()
    before, after = rows(kafka, "PRICES"), rows(kafka, "COPIES")
    assert before.num_rows == 3
    assert after.schema == before.schema
    for name in before.column_names:
        assert after[name].to_pylist() == before[name].to_pylist(), name
    capsys.readouterr()
    # And the bytes of the messages are the same, too.
    with kafka_bytes(kafka, "PRICES") as one, kafka_bytes(kafka, "COPIES") as other:
        assert [body[5:] for body in one] == [body[5:] for body in other]


class kafka_bytes:  # noqa: N801  # it reads as a function
    """The bodies of a topic's messages."""

    def __init__(self, kafka: MockKafka, topic: str) -> None:
        with pykafarr.scan(kafka.servers, topic, None, value="bytes", metadata=()).read() as stream:
            self.bodies = stream.to_arrow("bytes")["value"].to_pylist()

    def __enter__(self) -> list[bytes]:
        return self.bodies

    def __exit__(self, *_: object) -> None:
        pass


def sent(kafka: MockKafka) -> list[dict[str, Any]]:
    with pykafarr.scan(kafka.servers, "PRICES", kafka.registry_url, metadata=()).read() as stream:
        return [row for table in stream.to_arrow().values() for row in table.to_pylist()]


def send(to: list[str], folder: Path, name: str, content: bytes, *more: str, **fields: Any) -> int:
    """Sends a file's rows by a schema of these fields."""
    schema = {"type": "record", "name": "P", "fields": [{"name": name, "type": kind} for name, kind in fields.items()]}
    (folder / "p.avsc").write_text(json.dumps(schema))
    (folder / name).write_bytes(content)
    return main(["write", str(folder / name), *to, "--topic", "PRICES", "--schema", str(folder / "p.avsc"), *more])


def test_a_line_without_anything_is_a_row_of_a_csv_of_one_column(
    kafka: MockKafka, to: list[str], tmp_path: Path
) -> None:
    assert send(to, tmp_path, "a.csv", b'n\n1\n\n""\n3\n', n=["null", "string"]) == 0
    assert [row["n"] for row in sent(kafka)] == ["1", None, "", "3"]


def test_a_blank_number_of_a_csv_of_one_column_is_an_error_where_it_cannot_be_null(
    kafka: MockKafka, to: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert send(to, tmp_path, "a.csv", b"n\n1\n\n3\n", n="long") == 1
    assert "a.csv: n: row 1: " in (shown := capsys.readouterr().err)
    assert "(line 3)" in shown
    assert sent(kafka) == []


def test_marks_quotes_and_control_characters_of_a_csv_are_kept(kafka: MockKafka, to: list[str], tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfs,n\r\n"a\r\nb""c",1\r\n\0x,+2\r\n\r\n NA ,3\r\n'
    assert send(to, tmp_path, "a.csv", content, s="string", n="long") == 0
    assert sent(kafka) == [{"s": 'a\r\nb"c', "n": 1}, {"s": "\0x", "n": 2}, {"s": " NA ", "n": 3}]


def test_numbers_that_are_none_or_infinite_are_taken_where_they_are_written_so(
    kafka: MockKafka, to: list[str], tmp_path: Path
) -> None:
    assert send(to, tmp_path, "a.csv", b"d,f\nNaN,inf\n-Infinity,1e-400\n", d="double", f="float") == 0
    first, second = sent(kafka)
    assert math.isnan(first["d"])
    assert (first["f"], second) == (math.inf, {"d": -math.inf, "f": 0.0})


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"c\n1\n1e400\n", "double", "c: row 1: '1e400' cannot be written: it is out of the range of double (line 3)"),
        (b"c\n1\n1e39\n", "float", "c: row 1: '1e39' cannot be written: it is out of the range of float (line 3)"),
        (b"c\nNA\n", "double", "c: row 0: 'NA' cannot be written: it must be a number (line 2)"),
        (b"c\n9223372036854775808\n", "long", "c: row 0: '9223372036854775808' cannot be written: it is out of the "),
        (b"c\n2147483648\n", "int", "c: row 0: '2147483648' cannot be written: it is out of the range of int32"),
        (b"c\n0x10\n", "long", "c: row 0: '0x10' cannot be written: it must be a whole number (line 2)"),
        (b"c\n1 \n", "long", "c: row 0: '1 ' cannot be written: it must be a whole number (line 2)"),
        (b"c\nyes\n", "boolean", "c: row 0: 'yes' cannot be written: it must be true or false (line 2)"),
        (b"c\n#\n", "bytes", "c: row 0: '#' cannot be written: bytes must be in base64"),
        (b'c\n"[1, x]"\n', {"type": "array", "items": "long"}, "the cell of a list or record must be JSON"),
        (b"c,c\n1,2\n", "long", "two columns have the name 'c'"),
        (b"c,d\n1,2\n3\n", "long", "cannot be read: CSV parse error: Row #3: Expected 2 columns, got 1"),
        (b"c,d\n1,2\n3,4,5\n", "long", "cannot be read: CSV parse error: Row #3: Expected 2 columns, got 3"),
        (b'c,d\n1,2\n3,"4\n', "long", "cannot be read: line 3: unexpected end of data"),
        (b'c,d\n1,2\n3,"4"x\n', "long", "cannot be read: line 3: "),
        (b"c,d\n1,\xff\n", "long", "cannot be read: "),
        (b"", "long", "it is empty, and must have a header"),
    ],
    ids=repr,
)
def test_what_a_csv_would_lose_is_an_error_that_names_it(
    kafka: MockKafka, to: list[str], tmp_path: Path, content: bytes, kind: Any, said: str, capsys: Any
) -> None:
    assert send(to, tmp_path, "a.csv", content, c=kind) == 1
    assert said in capsys.readouterr().err
    assert sent(kafka) == []


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        (b'{"c": 1e400}', "double", "it is out of the range of double (line 3)"),
        (b'{"c": 1, "c": 2}', "long", "cannot be read: line 3: the member 'c' is there twice"),
        (b'{"c": 1} x', "long", "cannot be read: line 3: Extra data"),
        (b"[1]", "long", "line 3 is no object"),
        (b'{"c": "\xff"}', "string", "cannot be read: line 3: 'utf-8' codec"),
        (b'{"c": "\\ud800"}', "string", "c: row 1: '\\ud800' cannot be written: "),
        (b'{"c": 18446744073709551616}', "long", "it is out of the range of int64 (line 3)"),
        (b'{"c": 1.5}', "long", "c: row 1: 1.5 cannot be written: it must be a whole number (line 3)"),
        (b'{"c": 1}', "string", "c: row 1: 1 cannot be written: it must be a text (line 3)"),
        (b'{"c": true}', "double", "c: row 1: True cannot be written: it must be a number (line 3)"),
        (b'{"c": 1e2000}', TYPES["price"], "it has more than 1,000 digits (line 3)"),
        (b'{"c": 7}', TYPES["at"], "the unit of a number would be a guess"),
        (b'{"c": "2024-01-02T03:04:05"}', TYPES["at"], "it has no time zone"),
        (b'{"c": "2024-01-02T03:04:05.0000001Z"}', TYPES["at"], "it is finer than its type, which has us"),
        (b'{"c": "2024-01-02T03:04:05Z"}', TYPES["local"], "leave out the time zone"),
        (b'{"c": "2023-02-29T03:04:05Z"}', TYPES["at"], "day is out of range for month"),
        (b'{"c": "2024-01-02 25:00"}', TYPES["local"], "a day has 24 hours"),
        (b'{"c": [{"day": "2024-01-02", "raw": null}]}', TYPES["legs"], "it has no member 'price', which others have"),
        (b"[" * 100_000, "long", "cannot be read: line 3: "),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_json_would_lose_is_an_error_that_names_it(
    kafka: MockKafka, to: list[str], tmp_path: Path, line: bytes, kind: Any, said: str, capsys: Any
) -> None:
    good = b'{"c": null}' if kind != TYPES["legs"] else b'{"c": [{"day": "2024-01-02", "raw": null, "price": 1}]}'
    content = b"\xef\xbb\xbf" + good + b"\n\n" + line + b"\n"
    nullable = kind if isinstance(kind, list) else ["null", kind]
    if kind == TYPES["legs"]:
        content = b'\n\n{"c": [{"day": "2024-01-02", "raw": null, "price": 1}, ' + line[7:] + b"\n"
    assert send(to, tmp_path, "a.jsonl", content, c=nullable) == 1
    assert said in capsys.readouterr().err
    assert sent(kafka) == []


def test_json_and_csv_have_times_in_other_forms_of_iso_8601(kafka: MockKafka, to: list[str], tmp_path: Path) -> None:
    content = b'{"c": "2024-01-02T03:04+01:30", "p": 1.10, "h": {"a": "b"}}\n{"c": "2024-01-02 03:04:05.5Z", "p": 3}\n'
    assert send(to, tmp_path, "a.jsonl", content, "--headers", "h", c=TYPES["at"], p=TYPES["price"]) == 0
    assert [row["c"] for row in sent(kafka)] == [
        dt.datetime(2024, 1, 2, 1, 34, tzinfo=UTC),
        dt.datetime(2024, 1, 2, 3, 4, 5, 500000, UTC),
    ]
    assert [str(row["p"]) for row in sent(kafka)] == ["1.1000", "3.0000"]


def test_an_infinite_number_that_is_read_without_a_schema_is_an_error(
    kafka: MockKafka, to: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in {"a.csv": b"n\n1.5\n1e400\n", "a.jsonl": b'{"n": 1.5}\n{"n": 1e400}\n'}.items():
        (tmp_path / name).write_bytes(content)
        given = ["write", str(tmp_path / name), *to, "--topic", "PRICES", "--schema", "derive", "--message-type", "D"]
        assert main(given) == 1
        assert name in (shown := capsys.readouterr().err)
        assert "cannot be read" in shown or "n: row 1: it is infinite" in shown
    assert sent(kafka) == []


def test_a_dry_run_asks_whether_the_topic_is_there(
    to: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = ["--config", "topic.metadata.propagation.max.ms=1"]
    assert send(to, tmp_path, "a.csv", b"n\n1\n", "--topic", "MISSING", "--dry-run", *quick, n="long") == 1
    assert "TopicNotFoundError" in capsys.readouterr().err
