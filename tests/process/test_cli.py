"""The commands, run as a user runs them."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pytest
from pyarrow import parquet

import pykafarr
from pykafarr.testing import MockKafka

SCHEMA = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "long"}]}
# Of a file: so many that it is not sent before a signal comes.
ROWS = 10_000_000
COMMAND = [sys.executable, "-m", "pykafarr"]


@pytest.fixture
def kafka():
    with MockKafka(topics=["t"]) as kafka:
        kafka.produce("t", SCHEMA, [{"x": number} for number in range(3)])
        yield kafka


@pytest.fixture
def read(kafka, environment):
    """Starts `read` with more options, and more arguments for Popen."""

    def start(*options: str, **popen: object) -> subprocess.Popen[str]:
        where = ["--servers", kafka.servers, "--topics", "t", "--registry", kafka.registry_url, "--from-beginning"]
        command = [*COMMAND, "read", *where, *options]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, **popen)

    return start


def test_the_demo_shows_frames_dtypes_and_speed_within_a_few_seconds(environment):
    begun = time.monotonic()
    done = subprocess.run([*COMMAND, "demo"], capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for expected in ("com.example.Price", "com.example.Trade", "category", "int64", "messages per second"):
        assert expected in done.stdout
    assert time.monotonic() - begun < 30


def test_the_versions_of_all_parts_are_shown(environment):
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.startswith("pykafarr ")
    assert "librdkafka" in done.stdout


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_read_prints_rows_as_they_come_until_a_signal(kafka, read, number, status):
    with read("--format", "json", "--group", "g", stderr=subprocess.PIPE) as process:
        rows = [json.loads(process.stdout.readline()) for _ in range(3)]
        time.sleep(0.3)  # printed, but perhaps not noted yet: that would repeat them
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    assert rows == [{"x": number, "_offset": number} for number in range(3)]
    assert process.returncode == status
    assert err == ""
    # What was printed is committed, also when it ends this way.
    kafka.produce("t", SCHEMA, [{"x": 3}])
    with read("--format", "json", "--group", "g", "--idle-timeout", "2000") as process:
        assert process.communicate(timeout=30)[0] == '{"x": 3, "_offset": 3}\n'


def test_read_ends_quietly_when_its_reader_has_enough(kafka, read):
    with read("--format", "json", "--num-messages", "1", stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        kafka.produce("t", SCHEMA, [{"x": 3}])  # the rows before may all have been written already
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_read_shows_a_progress_line_on_a_terminal(read):
    ours, theirs = pty.openpty()
    with read("--idle-timeout", "1000", stderr=theirs) as process:
        process.communicate(timeout=30)
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # the other end is closed and all is read
        while part := os.read(ours, 10000):
            seen += part
    os.close(ours)
    assert b"waiting for messages" in seen
    assert b"3 rows, at t[0]@2" in seen


@pytest.mark.parametrize("command", [["--version"], ["demo"], ["read"]])
def test_without_a_standard_output_a_command_says_so_in_one_line(kafka, environment, command):
    where = ["--servers", kafka.servers, "--topics", "t", "--registry", kafka.registry_url, "--start", "earliest"]
    words = [*COMMAND, *command, *(where if command == ["read"] else [])]
    shell = ["sh", "-c", '"$@" >&-', "sh", *words]
    done = subprocess.run(shell, stderr=subprocess.PIPE, text=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "pykafarr: the output cannot be written: [Errno 9] stdout is closed\n")


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_without_standard_input_or_errors_a_command_prints_its_rows(kafka, environment, closed):
    where = ["--servers", kafka.servers, "--topics", "t", "--registry", kafka.registry_url, "--start", "earliest"]
    shell = ["sh", "-c", f'"$@" {closed}', "sh", *COMMAND, "read", *where, "--format", "json"]
    done = subprocess.run(shell, stdout=subprocess.PIPE, text=True, env=environment, timeout=60, check=True)
    assert [json.loads(line)["x"] for line in done.stdout.splitlines()] == [0, 1, 2]


def test_a_file_is_written_without_any_standard_stream(kafka, environment, tmp_path):
    where = ["--servers", kafka.servers, "--topics", "t", "--registry", kafka.registry_url]
    target = tmp_path / "t.jsonl"
    shell = ["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *COMMAND, "read", *where, "--output", str(target)]
    subprocess.run(shell, env=environment, timeout=60, check=True)
    assert [json.loads(line)["x"] for line in target.read_text().splitlines()] == [0, 1, 2]


def test_wrong_usage_without_a_stream_for_it_is_the_exit_status_alone(environment):
    shell = ["sh", "-c", '"$@" >&- 2>&-', "sh", *COMMAND, "read", "--no-such-option"]
    assert subprocess.run(shell, env=environment, timeout=60, check=False).returncode == 2


@pytest.fixture
def write(kafka, environment, tmp_path):
    """Starts `write` of a file of many rows, with more options, and more arguments for Popen."""
    file = tmp_path / "rows.parquet"
    table = pa.table({"x": pa.array(range(3, ROWS), pa.int64())})
    parquet.write_table(table, file, use_dictionary=False, column_encoding="DELTA_BINARY_PACKED")

    def start(*options: str, **popen: object) -> subprocess.Popen[str]:
        where = ["--servers", kafka.servers, "--topic", "t", "--registry", kafka.registry_url, "--message-type", "A"]
        return subprocess.Popen([*COMMAND, "write", str(file), *where, *options], text=True, env=environment, **popen)

    return start


def rows_of(kafka):
    with pykafarr.scan(kafka.servers, "t", kafka.registry_url).read() as stream:
        return stream.to_arrow("A")["x"].to_pylist()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_write_ends_at_a_signal_and_says_what_it_has_sent(kafka, write, number, status):
    with write(stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while len(rows_of(kafka)) == 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        begun = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert "Traceback" not in err
    assert time.monotonic() - begun < 10
    found = rows_of(kafka)
    assert found == list(range(len(found)))  # the beginning of the file, each row once
    assert 3 < len(found) < ROWS
    # What is on its way is waited for, but not for long; what is said to be there is there.
    said = re.search(r"([\d,]+) written", out) or re.search(r"Report ([\d,]+) rows", out)
    assert 0 < int(said[1].replace(",", "")) <= len(found) - 3


def test_write_shows_a_bar_on_a_terminal(kafka, write):
    pytest.importorskip("tqdm")
    ours, theirs = pty.openpty()
    with write("--progress", "--dry-run", stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # the other end is closed and all is read
            while part := os.read(ours, 10000):
                seen += part
        process.communicate(timeout=30)
    os.close(ours)
    assert process.returncode == 0
    assert b"10.0Mrow [" in seen
    assert b"\r" in seen.replace(b"\r\n", b"")  # the line is written over, and not shown as \\u000d
    assert b"u000d" not in seen
