"""Messages that are left out are counted for whoever reads the rest; what cannot be written is an error of one line."""

import json
import re
import resource
import signal
import subprocess
import sys
import urllib.request
import warnings
from pathlib import Path

import pytest

import pykafarr
from pykafarr._cli import main as cli
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books

A = {"type": "record", "name": "A", "fields": [{"name": "n", "type": "long"}]}


def registered(kafka, subject, schema, kind):
    body = json.dumps({"schema": json.dumps(schema), "schemaType": kind}).encode()
    request = urllib.request.Request(f"{kafka.registry_url}/subjects/{subject}/versions", body)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["id"]


@pytest.fixture(scope="module")
def kafka():
    """Topics of eight good messages and five bad ones, of one bad one, and of one of an invalid schema."""
    with MockKafka(topics=["bad", "one", "invalid"]) as made:
        made.produce("bad", A, [{"n": number} for number in range(5)])
        made.produce_raw("bad", [b"no"] * 5)
        made.produce("bad", A, [{"n": number} for number in range(5, 8)])
        made.produce("one", A, [{"n": 0}])
        made.produce_raw("one", [b"no"])
        schema_id = registered(made, "invalid-value", {"type": "unheard of"}, "AVRO")
        made.produce_raw("invalid", [b"\0" + schema_id.to_bytes(4, "big") + b"{}"])
        yield made


@pytest.fixture
def command(kafka):
    where = ["--servers", kafka.servers, "--registry", kafka.registry_url]
    return ["read", *where, "--value", "avro", "--topics"]


def stream(kafka, topic="bad"):
    return pykafarr.read(kafka.servers, topic, kafka.registry_url, errors="collect")


@pytest.mark.parametrize("how", ["to_arrow", "to_pandas", "reader"])
def test_what_has_no_place_for_rejected_rows_warns_of_them_once_where_it_is_called(kafka, how):
    def read():
        made = getattr(stream(kafka), how)("A")
        return made.read_all() if how == "reader" else made

    with pytest.warns(RuntimeWarning) as warned:
        found = read()
    assert len(found) == 8
    (warning,) = warned
    assert str(warning.message).startswith(f"{how}() leaves out the messages that could not be decoded, 5 of them")
    assert warning.filename == __file__


def test_a_batch_of_rejected_rows_alone_has_no_columns_and_no_message_type():
    config = {"auto.offset.reset": "earliest"}
    with MockKafka(topics={"bad": 1}) as made:
        made.produce_raw("bad", [b"no framing"])
        with pykafarr.listener(made.servers, "g", "bad", made.registry_url, errors="collect", config=config) as p:
            batch = p.poll_batch(num_messages=1, max_time=5000)
    assert (batch.message_type, batch.schema.names, len(batch), batch.rejected.num_rows) == ("", [], 0, 1)


def test_what_gives_or_has_no_rejected_rows_warns_of_none(kafka):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sum(batch.rejected.num_rows for batch in stream(kafka) if batch.rejected) == 5
        assert pykafarr.read(kafka.servers, "bad", kafka.registry_url, errors="skip").to_arrow("A").num_rows == 8


@pytest.mark.parametrize("place", [["--idle-timeout", "300", "--from-beginning"], ["--start", "earliest"], "--output"])
def test_the_command_line_says_how_many_messages_it_has_skipped(command, tmp_path, place, capsys):
    target = str(tmp_path / "x.csv")
    where = ["--output", target] if place == "--output" else [*place, "--format", "csv"]
    assert cli.main([*command, "bad", "--errors", "skip", *where]) == 0
    printed = capsys.readouterr()
    assert printed.err.endswith("5 messages that could not be decoded were skipped\n")
    if place == "--output":
        assert printed.err.startswith(f"8 rows in {target}\n")
    assert cli.main([*command, "one", "--errors", "skip", *where]) == 0
    assert capsys.readouterr().err.endswith("1 message that could not be decoded was skipped\n")


@pytest.mark.parametrize("errors", ["skip", "collect"])
@pytest.mark.parametrize("options", [{}, {"reader_schema": "latest"}], ids=str)
@pytest.mark.filterwarnings("ignore:to_arrow")
def test_a_topic_whose_every_message_is_left_out_is_empty_whatever_its_subjects_schema_is(kafka, errors, options):
    read = pykafarr.read(kafka.servers, "invalid", kafka.registry_url, errors=errors, **options)
    assert read.to_arrow() == {}
    assert (read.report[0].ended, read.report[0].skipped + read.report[0].rejected) == ("complete", 1)
    with pytest.raises(pykafarr.SchemaError, match="unheard of"):
        _ = pykafarr.scan(kafka.servers, "invalid", kafka.registry_url).schemas


@pytest.mark.parametrize("how", ["csv", "json", "table"])
@pytest.mark.parametrize("place", [["--idle-timeout", "300", "--from-beginning"], ["--start", "0", "--end", "5"]])
def test_a_full_disk_is_one_line_on_stderr(command, how, place):
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "pykafarr", *command, "bad", "--num-messages", "5", "--format", how, *place],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (
        1, "pykafarr: the output cannot be written: [Errno 28] No space left on device\n",
    )  # fmt: skip


@pytest.mark.parametrize("suffix", ["parquet", "csv", "json", "arrows"])
def test_a_file_that_finds_no_room_is_one_line_on_stderr(command, tmp_path, suffix):
    def little_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

    target = tmp_path / f"x.{suffix}"
    ended = subprocess.run(
        [sys.executable, "-m", "pykafarr", *command, "bad", "--output", str(target), "--end", "5"],
        preexec_fn=little_room, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert re.fullmatch(f"pykafarr: KafarrError: {re.escape(str(target))} cannot be written: .*\n", ended.stderr)
    assert ended.returncode == 1
    assert list(tmp_path.iterdir()) == []
