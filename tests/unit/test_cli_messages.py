"""The command `read` on topics of Avro, Protobuf, JSON Schema and JSON, with a registry and without."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from pykafarr._cli.flags import Flags
from pykafarr._cli.main import main
from pykafarr.testing import MockKafka
from tests.unit.test_confluent_protobuf import FILE, IMPORTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AVRO = {"type": "record", "name": "A", "fields": [{"name": "n", "type": "long"}]}
PROTO = 'syntax = "proto3"; package shop; message Order { int64 id = 1; Color c = 2; } message Other { string s = 1; } '
PROTO += "enum Color { RED = 0; } message Tree { int64 n = 1; repeated Tree below = 2; }"
JSON_SCHEMA = {"title": "Note", "type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
ORDER = b"\x08\x07\x10\x09"
SEVEN = {"id": 7}


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    """A topic for each format, and one of all of them, with a message that is not framed."""
    topics = ["avro", "protobuf", "jsonschema", "json", "mixed", "bare", "binary", "tree", "connect"]
    with MockKafka(topics=topics) as made:
        order = made.produce("protobuf", PROTO, [], schema_type="PROTOBUF")
        framed = struct.pack(">bI", 0, order) + b"\0" + ORDER
        made.produce_raw("protobuf", [framed])
        made.produce_raw("tree", [struct.pack(">bI", 0, order) + b"\x02\x04" + b"\x08\x01\x12\x02\x08\x02"])
        made.produce("avro", AVRO, [{"n": 1}, {"n": 2}])
        made.produce("jsonschema", JSON_SCHEMA, [SEVEN, {"id": 8, "more": 1}], schema_type="JSON")
        made.produce_raw("json", [b'{"id": 7, "name": "a"}', b'{"id": 8}'])
        made.produce("mixed", AVRO, [{"n": 1}])
        made.produce("mixed", JSON_SCHEMA, [SEVEN], schema_type="JSON")
        made.produce_raw("mixed", [framed, b"raw"])
        made.produce_raw("bare", [ORDER])
        made.produce_raw("binary", [b"\x02"])
        made.produce_raw("connect", [b'{"schema": {"type": "int64", "optional": false}, "payload": 7}'])
        made.produce_raw("json-keys", [b"a", b"b"], keys=[b'{"id": 7}', None])
        made.produce("keyed", AVRO, [{"n": 1}], keys=[b"k"])
        yield made


@pytest.fixture(params=["scan", "listen"])
def place(request: pytest.FixtureRequest) -> list[str]:
    return {"scan": ["--start", "earliest"], "listen": ["--from-beginning", "--idle-timeout", "300"]}[request.param]


@pytest.fixture
def read(kafka: MockKafka, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `read`, and gives its status, its rows of JSON, and what it says."""

    def run(topic: str, *arguments: str, registry: bool = True) -> tuple[int, list[Any], str]:
        where = ["--servers", kafka.servers, "--topics", topic, "--metadata"]
        where += ["--registry", kafka.registry_url] if registry else []
        where += [] if "--output" in arguments else ["--format", "json"]
        capsys.readouterr()
        status = main(["read", *where, *arguments])
        printed = capsys.readouterr()
        return status, [json.loads(line) for line in printed.out.splitlines()], printed.err

    return run


@pytest.mark.parametrize(
    ("topic", "rows"),
    [
        ("avro", [{"n": 1}, {"n": 2}]),
        ("protobuf", [{"id": 7, "c": None}]),
        ("jsonschema", [SEVEN, {"id": 8}]),
    ],
)
def test_a_topic_is_read_as_what_the_registry_says_that_it_is(
    read: Any, place: list[str], topic: str, rows: list[Any]
) -> None:
    status, found, said = read(topic, *place)
    assert (status, found) == (0, rows)
    losses = {
        "protobuf": "1 number of an enum has no name in the schema, and is null here\n",
        "jsonschema": "1 member of JSON is not in the schema, and was left out\n",
    }
    assert said == losses.get(topic, "")
    assert read(topic, *place, "--value", topic)[:2] == (0, rows)


def test_a_message_without_a_schema_of_the_registry_is_shown_as_bytes_and_counted(read: Any, place: list[str]) -> None:
    status, found, said = read("mixed", *place)
    assert status == 0
    assert sorted(map(json.dumps, found)) == sorted(
        map(json.dumps, [{"n": 1}, SEVEN, {"id": 7, "c": None}, {"value": "cmF3"}])
    )
    assert "1 message without a schema of the registry is bytes here: --value avro says" in said
    assert "is bytes here" not in read("mixed", *place, "--value", "auto")[2]
    status, _, said = read("mixed", *place, "--value", "avro")
    assert status == 1
    assert "set --value jsonschema, or --value auto" in said


def test_a_file_of_one_type_tells_what_of_a_topic_is_not_in_it(read: Any, tmp_path: Path) -> None:
    target = tmp_path / "a.parquet"
    status, _, said = read("mixed", "--output", str(target), "--message-type", "Note")
    assert (status, parquet.read_table(target).to_pylist()) == (0, [SEVEN])
    assert said.startswith(f"1 row in {target}\n1 message without a schema of the registry was left out\n")


def test_json_needs_no_registry_and_its_schema_may_be_inferred_or_given(
    read: Any, place: list[str], tmp_path: Path
) -> None:
    rows = [{"id": 7, "name": "a"}, {"id": 8, "name": None}]
    assert read("json", *place, "--value", "json", registry=False) == (0, rows, "")
    columns, schema = tmp_path / "columns.json", tmp_path / "schema.json"
    columns.write_text(json.dumps({"id": "int32", "name": "string"}))
    schema.write_text(json.dumps(JSON_SCHEMA))
    assert read("json", *place, "--value", "json", "--schema", str(columns), registry=False)[:2] == (0, rows)
    status, found, said = read("json", *place, "--value", "json", "--schema", str(schema), registry=False)
    assert (status, found) == (0, [SEVEN, {"id": 8}])
    assert said == "1 member of JSON is not in the schema, and was left out\n"
    kept = ["--schema", str(schema), "--unknown-members", "keep"]
    assert read("json", *place, "--value", "json", *kept, registry=False)[1][0]["_extra"] == '{"name":"a"}'


def test_bare_bodies_are_read_by_the_schema_in_a_file(read: Any, place: list[str], tmp_path: Path) -> None:
    proto, avro = tmp_path / "shop.proto", tmp_path / "long.avsc"
    proto.write_text(PROTO)
    avro.write_text('"long"')
    bare = [*place, "--framing", "bare"]
    given = [*bare, "--value", "protobuf", "--schema", str(proto)]
    status, _, said = read("bare", *given, registry=False)
    assert status == 1
    assert "several message types: name one, as in --schema-message-type shop.Order" in said
    named = [*given, "--schema-message-type", "shop.Order"]
    assert read("bare", *named, registry=False)[1] == [{"id": 7, "c": None}]
    assert read("bare", *named, "--enums", "numbers", "--columns", "c", registry=False)[1] == [{"c": 9}]
    assert read("binary", *bare, "--schema", str(avro), registry=False)[:2] == (0, [{"value": 1}])


def test_envelopes_of_connect_are_json_that_needs_no_registry(read: Any, place: list[str]) -> None:
    assert read("connect", *place, "--framing", "connect", registry=False)[:2] == (0, [{"value": 7}])


def test_descriptors_in_a_file_are_no_text(read: Any, tmp_path: Path) -> None:
    pytest.importorskip("google.protobuf")
    from google.protobuf import descriptor_pb2, text_format

    made = descriptor_pb2.FileDescriptorSet()
    for text in (IMPORTED, FILE):
        text_format.Parse(text, made.file.add())
    (tmp_path / "shop.pb").write_bytes(made.SerializeToString())
    given = ["--value", "protobuf", "--framing", "bare", "--schema", str(tmp_path / "shop.pb")]
    given += ["--schema-message-type", "shop.Other", "--start", "earliest"]
    assert read("bare", *given, registry=False)[1] == [{"n": 7}]


def test_a_reader_schema_is_a_file_or_the_newest(read: Any, place: list[str], tmp_path: Path) -> None:
    reader = tmp_path / "reader.json"
    reader.write_text(json.dumps({**JSON_SCHEMA, "properties": {"id": {"type": "number"}}}))
    assert read("jsonschema", *place, "--value", "jsonschema", "--reader-schema", str(reader))[1] == [
        {"id": 7.0},
        {"id": 8.0},
    ]
    status, _, said = read("avro", *place, "--reader-schema", "latest")
    assert status == (0 if "--start" in place else 1)
    assert ("only a scan knows" in said) == bool(status)


def test_a_recursive_type_is_read_as_text(read: Any, place: list[str]) -> None:
    status, _, said = read("tree", *place)
    assert status == 1
    assert "--recursion json" in said
    assert read("tree", *place, "--recursion", "json")[1] == [{"n": 1, "below": ['{"n":"2"}']}]


@pytest.mark.parametrize("value", [[], ["--value", "auto"], ["--value", "protobuf"], ["--framing", "apicurio"]])
def test_without_a_registry_the_command_asks_for_it_or_for_what_the_messages_are(
    read: Any, value: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read("json", *value, registry=False)
    assert ended.value.code == 2
    assert "--registry is missing: messages name schemas of it" in capsys.readouterr().err


def test_a_schema_that_cannot_be_read_is_named(read: Any, tmp_path: Path) -> None:
    (tmp_path / "x.avsc").write_bytes(b"\xff")
    for name, text in {"no.avsc": "no.avsc: No such file", "x.avsc": "x.avsc: it is no text in UTF-8"}.items():
        status, _, said = read("bare", "--framing", "bare", "--schema", str(tmp_path / name), registry=False)
        assert status == 1
        assert f"--schema {tmp_path}/{text}" in said


def test_keys_of_json_are_read_by_the_schema_in_a_file(read: Any, place: list[str], tmp_path: Path) -> None:
    schema = tmp_path / "key.json"
    schema.write_text('{"id": "int32"}')
    keys = ["--value", "bytes", "--key", "json", "--key-schema", str(schema)]
    assert [row["_key"] for row in read("json-keys", *place, *keys, registry=False)[1]] == [{"id": 7}, None]
    status, _, said = read("json-keys", *place, *keys[:-1], str(tmp_path / "none"), registry=False)
    assert (status, "--key-schema" in said) == (1, True)


def test_keys_are_read_as_they_are_said_to_be(read: Any, place: list[str]) -> None:
    assert read("keyed", *place, "--key", "string")[1] == [{"n": 1, "_key": "k"}]


def test_advice_of_errors_is_in_words_of_the_command_line(
    kafka: MockKafka, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parquet.write_table(pa.table({"n": [1], "k": [1]}), tmp_path / "a.parquet")
    where = ["--servers", kafka.servers, "--registry", kafka.registry_url, "--topic", "avro"]
    assert main(["write", str(tmp_path / "a.parquet"), *where, "--key", "k"]) == 1
    said = capsys.readouterr().err
    assert "--key-format string makes texts of whole numbers" in said
    assert "key=" not in said
    assert main(["write", str(tmp_path / "a.parquet"), *where[:-1], "new", "--message-type", "B"]) == 1
    assert "--register" in capsys.readouterr().err


def test_only_options_of_the_command_become_arguments() -> None:
    flags = Flags({"value": "--value", "schema": "--schema"})
    for text, said in {
        'set value="json" and schema=, or value="string"': "set --value json and --schema, or --value string",
        'set value="json" and schema=': "set --value json and --schema",
        'reader_schema="latest"': 'reader_schema="latest"',
        "schema={1: 2}": "schema={1: 2}",
        "{'value=x': 1}": "{'value=x': 1}",
        "value=x": "value=x",
    }.items():
        assert flags.of(text) == said
    assert Flags({}).of("value=") == "value="
