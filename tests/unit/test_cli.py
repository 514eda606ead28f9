"""The command line against a scripted library."""

import datetime as dt
import decimal
import io
import json
import signal
import sys

import pyarrow as pa
import pytest

from pykafarr import Batch, Range, SchemaError
from pykafarr._cli import main as cli
from pykafarr._cli.writers import writer
from tests.unit.test_types import TYPES, bodies_of, decode
from tests.unit.test_types import record as record_of

READ = ["read", "--servers", "a:1", "--topics", "t", "--registry", "http://registry"]


@pytest.fixture
def record():
    return pa.record_batch({"x": pa.array([1, None]), "s": pa.array(["a", "ü"]), "b": pa.array([b"\0\xff", b""])})


def run(arguments: list[str]) -> int:
    return cli.main(arguments)


def test_read_prints_frames_and_ends_after_the_idle_timeout(fake, record, capsys):
    fake.answers.extend([fake.batch(record, "com.example.A"), fake.batch(record, "com.example.B")])
    assert run([*READ, "--idle-timeout", "5"]) == 0
    out, err = capsys.readouterr()
    assert "com.example.A: 2 rows" in out
    assert "com.example.B: 2 rows" in out
    assert err == ""  # no terminal, no progress line


def test_read_without_a_group_leaves_no_trace(fake):
    assert run([*READ, "--idle-timeout", "0"]) == 0
    assert fake.settings["group"].startswith("pykafarr-read-")
    assert fake.settings["config"]["enable.auto.commit"] == "false"
    assert ("close", False) in fake.calls


def test_read_with_a_group_commits_what_it_printed(fake, record):
    fake.answers.append(fake.batch(record))
    assert (
        run([*READ, "--group", "g", "--idle-timeout", "5", "--config", "a=b=c", "--config", "d=", "--from-beginning"])
        == 0
    )
    assert fake.settings["group"] == "g"
    assert fake.settings["config"] == {
        "client.id": "pykafarr-read",
        "a": "b=c",
        "d": "",
        "auto.offset.reset": "earliest",
    }
    assert ("close", True) in fake.calls


def test_read_does_not_commit_what_it_could_not_print(fake, record, monkeypatch, capsys):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError("no space left")

    monkeypatch.setattr(sys, "stdout", Full())
    fake.answers.append(fake.batch(record))
    assert run([*READ, "--group", "g"]) == 1
    assert capsys.readouterr().err == "pykafarr: the output cannot be written: no space left\n"
    assert ("close", False) in fake.calls


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_closes_cleanly_and_gives_the_shells_status(fake, record, capsys, number, status):
    def answer(batch, error):
        signal.raise_signal(number)
        return 1

    fake.answers.extend([fake.batch(record), answer])
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert run([*READ, "--group", "g"]) == status
    assert fake.calls[-2:] == [("close", True), ("free",)]
    assert "Traceback" not in capsys.readouterr().err
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_error_is_one_line_on_stderr(fake, capsys):
    fake.answers.append(fake.error("BrokerError", "no broker is reachable"))
    assert run(READ) == 1
    assert capsys.readouterr().err == "pykafarr: BrokerError: no broker is reachable\n"


@pytest.mark.parametrize(
    "wrong", [[], ["read"], [*READ, "--config", "ab"], [*READ, "--config", "=b"], [*READ, "--max-time", "1.5"]]
)
def test_wrong_usage_is_status_two(wrong, capsys):
    with pytest.raises(SystemExit) as info:
        run(wrong)
    assert info.value.code == 2
    assert "usage: python -m pykafarr" in capsys.readouterr().err


def test_frames_have_a_thousand_rows_and_wait_for_a_second_unless_it_is_said_otherwise(fake, capsys):
    assert run([*READ, "--num-messages", "0"]) == 1
    assert "num_messages must be from 1" in capsys.readouterr().err
    assert run([*READ, "--idle-timeout", "0"]) == 0


def test_a_wrong_value_is_told(fake, capsys):
    assert run([*READ, "--metadata", "offsets"]) == 1
    assert "ConfigError: unknown metadata 'offsets'" in capsys.readouterr().err


def write_all(name: str, *batches: Batch) -> str:
    stream = io.StringIO()
    write = writer(name, stream)
    for batch in batches:
        write(batch)
    return stream.getvalue()


def test_json_is_a_line_for_each_row():
    kinds = {
        "n": pa.array([2**53 + 1, None]),
        "s": pa.array(["ü", None]),
        "b": pa.array([b"\0\xff", None]),
        "t": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc), None], pa.timestamp("ms", "UTC")),
        "d": pa.array([decimal.Decimal("1.50"), None]),
        "l": pa.array([[1, 2], None]),
    }
    text = write_all("json", Batch(pa.record_batch(kinds), "A", []))
    assert [json.loads(line) for line in text.splitlines()] == [
        {"n": 2**53 + 1, "s": "ü", "b": "AP8=", "t": "2024-01-02 03:04:05.000+00:00", "d": "1.50", "l": [1, 2]},
        dict.fromkeys(kinds),
    ]


def test_csv_has_one_header_and_ends_with_an_error_where_the_type_or_the_columns_change(record):
    batch = Batch(record, "A", [Range("t", 0, 0, 2, 2)])
    for kind, columns, said in (
        ("B", pa.record_batch({"y": pa.array([[1]])}), "rows of A are followed by rows of B, and csv has one header"),
        ("B", record, "rows of A are followed by rows of B.*--format json prints all"),
        ("A", pa.record_batch({"y": pa.array([[1]])}), r"^t\[0\]@4: A has other columns than the rows before"),
    ):
        stream = io.StringIO()
        write = writer("csv", stream)
        write(batch)
        write(batch)
        with pytest.raises(SchemaError, match=said):
            write(Batch(columns, kind, [Range("t", 0, 4, 5, 1)]))
        assert stream.getvalue().splitlines() == ["x,s,b", "1,a,AP8=", ',ü,""', "1,a,AP8=", ',ü,""']


def test_a_table_says_the_message_type_and_the_rows(record):
    text = write_all("table", Batch(record, "com.example.A", []))
    assert text.startswith("com.example.A: 2 rows\n")
    assert "<NA>" in text


@pytest.mark.parametrize("name", TYPES)
def test_each_type_has_a_form_in_each_format(name):
    whole = decode(record_of(x=TYPES[name].schema), bodies_of(TYPES[name]))
    batch = Batch(whole.rename_columns(["x"]), "R", [])
    lines = write_all("json", batch).splitlines()
    assert [list(json.loads(line)) for line in lines] == [["x"]] * len(batch)
    assert write_all("csv", batch).startswith("x\n")
    assert write_all("table", batch).startswith(f"R: {len(batch)} row")


def test_a_table_prints_moments_that_pandas_does_not_hold():
    days = pa.array([4000000, 1], pa.int32()).view(pa.date32())
    moments = pa.array([-(2**63), 0]).view(pa.timestamp("ms", "UTC"))
    text = write_all("table", Batch(pa.record_batch({"d": days, "m": moments, "n": pa.array([1, 2])}), "A", []))
    assert "+12921-08-18" in text
    assert "-292275055-05-16 16:47:04.192+00:00" in text
