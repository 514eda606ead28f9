"""The command `read` with --start, --end or --output: a scan, printed or written to a file."""

import csv
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from pykafarr._cli import main as cli
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books

OLDER = {"type": "record", "name": "A", "fields": [{"name": "n", "type": "long"}]}
NEWER = {
    "type": "record",
    "name": "A",
    "fields": [{"name": "n", "type": "long"}, {"name": "s", "type": ["null", "string"], "default": None}],
}
B = {"type": "record", "name": "B", "fields": [{"name": "x", "type": "long"}]}


@pytest.fixture(scope="module")
def kafka():
    """A topic in two versions, and one of two types."""
    with MockKafka(topics=["A", "MIXED"]) as made:
        made.produce("A", OLDER, [{"n": number} for number in range(5)])
        made.produce("A", NEWER, [{"n": number, "s": "ü"} for number in range(5, 10)])
        made.produce("MIXED", B, [{"x": 7}])
        made.produce("MIXED", OLDER, [{"n": 8}])
        yield made


@pytest.fixture
def read(kafka):
    def run(*arguments, topic="A"):
        return cli.main(
            ["read", "--servers", kafka.servers, "--registry", kafka.registry_url, "--topics", topic, *arguments]
        )

    return run


def test_a_scan_becomes_a_parquet_file_of_one_schema(read, tmp_path, capsys):
    target = tmp_path / "day.parquet"
    assert read("--output", str(target)) == 0
    table = parquet.read_table(target)
    assert table.to_pydict() == {"n": [*range(10)], "s": [None] * 5 + ["ü"] * 5, "_offset": [*range(10)]}
    assert [path.name for path in tmp_path.iterdir()] == ["day.parquet"]
    assert capsys.readouterr().err == f"10 rows in {target}\n"


def test_a_scan_becomes_other_files_by_their_endings(read, tmp_path):
    for suffix in ("csv", "json", "jsonl", "arrows"):
        target = tmp_path / f"day.{suffix}"
        assert read("--start", "4", "--end", "6", "--output", str(target), "--metadata") == 0
        if suffix == "csv":
            assert list(csv.reader(target.read_text().splitlines())) == [["n", "s"], ["4", ""], ["5", "ü"]]
        elif suffix == "arrows":
            assert pa.ipc.open_stream(target.read_bytes()).read_all().to_pydict() == {"n": [4, 5], "s": [None, "ü"]}
        else:
            lines = [json.loads(line) for line in target.read_text().splitlines()]
            assert lines == [{"n": 4, "s": None}, {"n": 5, "s": "ü"}]


def test_a_format_that_says_what_the_ending_says_is_no_contradiction(read, tmp_path):
    for suffix, name in (("csv", "csv"), ("json", "json"), ("jsonl", "json")):
        assert read("--output", str(tmp_path / f"day.{suffix}"), "--format", name) == 0


def test_frames_of_a_scan_have_as_many_rows_as_asked_for(read, capsys):
    assert read("--end", "3", "--num-messages", "2") == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("A:")] == ["A: 2 rows", "A: 1 row"]
    assert read("--end", "3", "--num-messages", "0") == 1
    assert "num_messages must be from 1" in capsys.readouterr().err


def test_a_scan_is_printed_without_a_file(read, capsys):
    assert read("--start", "8", "--format", "json") == 0
    assert [json.loads(line)["n"] for line in capsys.readouterr().out.splitlines()] == [8, 9]


def test_a_file_holds_one_type_and_a_failure_leaves_none(read, tmp_path, capsys):
    target = tmp_path / "day.parquet"
    assert read("--output", str(target), topic="MIXED") == 1
    assert "rows of B are followed by rows of A" in (err := capsys.readouterr().err)
    assert "--message-type chooses it" in err
    assert list(tmp_path.iterdir()) == []
    assert read("--output", str(target), "--message-type", "B", topic="MIXED") == 0
    assert parquet.read_table(target)["x"].to_pylist() == [7]


def test_a_name_that_was_mistyped_is_a_question_of_its_own(read, tmp_path, capsys):
    assert read("--output", str(tmp_path / "x.csv"), "--message-type", "b", topic="MIXED") == 1
    assert "Did you mean B? One file holds one type: --message-type chooses it\n" in capsys.readouterr().err


def test_csv_of_two_types_ends_after_the_rows_of_the_first(read, capsys):
    assert read("--start", "earliest", "--format", "csv", topic="MIXED") == 1
    printed = capsys.readouterr()
    assert printed.out == "x,_offset\n7,0\n"
    assert "rows of B are followed by rows of A, and csv has one header: --message-type" in printed.err


def test_a_time_without_a_zone_is_answered_in_words_of_the_command_line(read, capsys):
    for given, meant in (("2023-11-14T00:00", "2023-11-14T00:00"), ("2023-11-14 10:20:30", "2023-11-14T10:20:30")):
        with pytest.raises(SystemExit):
            read("--start", given)
        said = f"{given!r} has no time zone: write {meant}Z, or an offset as in {meant}+01:00"
        assert said in capsys.readouterr().err


def test_tombstones_that_a_message_type_leaves_out_are_counted(kafka, read, tmp_path, capsys):
    kafka.produce("DELETED", B, [{"x": 7}], keys=[b"k"], partition=0)
    kafka.produce_raw("DELETED", [None] * 2, keys=[b"k"] * 2, partition=0)
    target = tmp_path / "x.csv"
    assert read("--output", str(target), topic="DELETED") == 1
    assert "null: --tombstones skip leaves them out" in capsys.readouterr().err
    said = "2 messages without a value (tombstones) were left out\n"
    assert read("--output", str(target), "--message-type", "B", topic="DELETED") == 0
    assert capsys.readouterr().err == f"1 row in {target}\n{said}"
    assert read("--start", "earliest", "--message-type", "B", topic="DELETED") == 0
    assert capsys.readouterr().err == said


def test_tombstones_are_left_out_or_kept_as_asked(kafka, read, tmp_path, capsys):
    kafka.produce("GONE", B, [{"x": 7}], keys=[b"k"], partition=0)
    kafka.produce_raw("GONE", [None] * 2, keys=[b"k"] * 2, partition=0)
    target = tmp_path / "x.csv"
    assert read("--output", str(target), "--tombstones", "skip", "--metadata", topic="GONE") == 0
    assert target.read_text() == "x\n7\n"
    assert read("--output", str(target), "--tombstones", "keep", "--metadata", "tombstone", topic="GONE") == 0
    assert target.read_text() == "x,_tombstone\n7,False\n,True\n,True\n"
    capsys.readouterr()


def test_what_cannot_be_meant_is_said(read, tmp_path, capsys):
    for arguments, text in (
        (["--output", str(tmp_path / "day.xls")], "must be one of .parquet, .csv, .json, .jsonl, .arrows"),
        (["--output", str(tmp_path / "no" / "day.csv")], "cannot be written"),
        (["--end", "11"], "A[0]: end is 11: the log goes from 0 to 10"),
    ):
        assert read(*arguments) == 1, arguments
        assert text in capsys.readouterr().err
    assert read("--end", "11", "--allow-partial", "--format", "csv") == 0
    capsys.readouterr()
    for arguments, text in (
        (["--start", "yesterday"], "'yesterday' is not earliest, now, an offset or a time"),
        (["--start", "1", "--group", "g"], "--group is not for scans"),
        (["--allow-partial"], "--allow-partial is for scans"),
        (["--end", "1", "--max-time", "0"], "--max-time is not for scans"),
        (["--output", str(tmp_path / "day.csv"), "--format", "json"], "--format is for what is printed"),
        (["--output", str(tmp_path / "day.parquet"), "--format", "table"], "--format is for what is printed"),
    ):
        with pytest.raises(SystemExit) as ended:
            read(*arguments)
        assert ended.value.code == 2
        assert text in capsys.readouterr().err


def test_a_link_beside_the_target_is_neither_followed_nor_removed(read, tmp_path):
    """Whoever may write into the folder must not choose which file this process overwrites."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    planted = tmp_path / "day.csv.part"
    planted.symlink_to(victim)
    assert read("--output", str(tmp_path / "day.csv")) == 0
    assert victim.read_text() == "precious"
    assert planted.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["day.csv", "day.csv.part", "victim"]


FAR = {
    "type": "record",
    "name": "Far",
    "fields": [
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "tags", "type": {"type": "map", "values": "long"}},
        {"name": "note", "type": ["null", "string"]},
    ],
}


@pytest.fixture(scope="module")
def far(kafka):
    """A topic with a date that Python has, then dates that it does not have."""
    rows = [
        {"at": 1, "day": 1, "tags": {"a": 1}, "note": None},
        {"at": 1700000000000000, "day": 4000000, "tags": {}, "note": ""},
        {"at": -1700000000000000, "day": -4000000, "tags": {}, "note": "x"},
    ]
    kafka.produce("FAR", FAR, rows)
    return "FAR"


def test_a_date_past_the_year_9999_is_printed_and_written_as_it_is(read, far, tmp_path, capsys):
    assert read("--start", "earliest", "--format", "json", "--metadata", topic=far) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["day"] for line in lines] == ["1970-01-02", "+12921-08-18", "-8982-05-17"]
    assert lines[1]["at"] == "+55840-11-08 22:13:20.000+00:00"
    assert lines[0]["tags"] == {"a": 1}
    assert read("--start", "earliest", topic=far) == 0
    assert "+12921-08-18" in capsys.readouterr().out
    target = tmp_path / "far.csv"
    assert read("--output", str(target), "--metadata", topic=far) == 0
    assert target.read_text().splitlines() == [
        "at,day,tags,note",
        '1970-01-01 00:00:00.001+00:00,1970-01-02,"{""a"": 1}",',
        '+55840-11-08 22:13:20.000+00:00,+12921-08-18,{},""',
        "-51901-02-22 01:46:40.000+00:00,-8982-05-17,{},x",
    ]


def test_csv_tells_null_from_the_empty_text_where_null_has_a_text(read, far, tmp_path, capsys):
    target = tmp_path / "far.csv"
    assert read("--output", str(target), "--null", r"\N", topic=far) == 0
    assert [row[3] for row in csv.reader(target.read_text().splitlines())] == ["note", r"\N", "", "x"]
    assert read("--start", "0", "--end", "1", "--format", "csv", "--null", "NULL", topic=far) == 0
    assert ",NULL,0" in capsys.readouterr().out
    for arguments in (["--output", str(tmp_path / "far.json")], ["--start", "0"]):
        with pytest.raises(SystemExit) as ended:
            read("--null", "NULL", *arguments, topic=far)
        assert ended.value.code == 2
        assert "--null is for csv" in capsys.readouterr().err
