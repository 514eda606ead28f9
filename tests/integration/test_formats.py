"""What values may be besides registry-framed Avro: bytes, text, other framings of Avro, and a mixture."""

import io
import json
import struct
import urllib.request

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

import pykafarr
from pykafarr._cli import main as cli
from pykafarr.testing import MockKafka
from tests.integration.raw import raw_messages
from tests.integration.writing import A, B, numbers

DOCUMENTS = [{"id": 1, "name": "grün"}, {"id": 2, "name": None}, {}]
JSON = [json.dumps(document, ensure_ascii=False).encode() for document in DOCUMENTS]


def body(schema, record):
    """A bare Avro body, by fastavro."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


def single_object(schema, record):
    """Avro's single-object encoding, by fastavro: C3 01, the fingerprint, the body."""
    canonical = fastavro.schema.to_parsing_canonical_form(schema)
    fingerprint = int(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"), 16)
    # fastavro prints it as the specification's little-endian bytes.
    return b"\xc3\x01" + struct.pack(">Q", fingerprint) + body(schema, record)


def test_json_as_bytes_needs_no_registry(writer, topic, listen):
    writer.write_values(topic, JSON)

    message_type, frame = listen(registry_url=None, value="bytes").poll(3, 5000)

    assert message_type == "bytes"
    assert [json.loads(value) for value in frame["value"]] == DOCUMENTS
    assert list(frame["_offset"]) == [0, 1, 2]


def test_json_as_text_is_pandas_own_str(writer, topic, listen):
    writer.write_values(topic, JSON)

    message_type, frame = listen(registry_url=None, value="string").poll(3, 5000)

    assert message_type == "string"
    assert frame["value"].dtype == "str"
    assert [json.loads(value) for value in frame["value"]] == DOCUMENTS


def test_what_is_no_text_costs_its_own_row_only(writer, topic, listen):
    writer.write_values(topic, [b"a", b"\xff\xfe", b"", b"b"])
    listener = listen(registry_url=None, value="string", errors="collect")

    batch = listener.poll_batch(3, 5000)

    assert batch.to_arrow().column("value").to_pylist() == ["a", "", "b"]
    assert batch.rejected.column("value").to_pylist() == [b"\xff\xfe"]
    assert batch.rejected.column("message")[0].as_py().startswith(f"{topic}[0]@1: string is not valid UTF-8")


@pytest.mark.parametrize("value", ["bytes", "string"])
def test_an_untyped_tombstone_is_a_row_when_it_is_kept(value, writer, topic, listen):
    writer.write_values(topic, [None, b"a", None, b"b"])

    message_type, frame = listen(registry_url=None, value=value, tombstones="keep", metadata="tombstone").poll(4, 5000)

    assert message_type == value
    assert frame["value"].isna().tolist() == [True, False, True, False]
    assert list(frame["_tombstone"]) == [True, False, True, False]


@pytest.mark.parametrize("mixed", ["split", "group"])
def test_auto_tells_framed_avro_from_json(mixed, writer, topic, listen):
    writer.write(topic, A, numbers(0, 2))
    writer.write_values(topic, JSON[:2])
    writer.write(topic, A, numbers(2, 1))
    writer.write_values(topic, [b"", b"\0", b"\0\0\0\0\0ids begin with 1", None])
    listener = listen(value="auto", metadata=("offset", "schema_id"), mixed=mixed)

    polled = {}
    for batch in listener.batches(100, 500, idle_timeout=500):
        polled.setdefault(batch.message_type, []).append(batch.to_arrow().to_pydict())

    assert polled.keys() == {"com.example.A", "bytes", "null"}
    assert [n for columns in polled["com.example.A"] for n in columns["n"]] == [0, 1, 2]
    untyped = [value for columns in polled["bytes"] for value in columns["value"]]
    assert untyped == [*JSON[:2], b"", b"\0", b"\0\0\0\0\0ids begin with 1"]
    assert {at for columns in polled["bytes"] for at in columns["_schema_id"]} == {None}
    assert [len(polled[message_type]) for message_type in ("com.example.A", "bytes", "null")] == (
        [2, 2, 1] if mixed == "split" else [1, 1, 1]
    )


def test_bare_bodies_are_read_with_the_schema_of_their_topic(cluster, writer, listen):
    topics = [cluster.new_topic(), cluster.new_topic()]
    writer.write_values(topics[0], [body(A, {"n": -1}), body(A, {"n": 2**62})])
    writer.write_values(topics[1], [body(B, {"text": "ü"})])
    listener = listen(
        topics, registry_url=None, framing="bare", schema={topics[0]: A, topics[1]: B}, mixed="group", metadata=()
    )

    polled = {batch.message_type: batch.to_arrow().to_pylist() for batch in listener.batches(3, 500, idle_timeout=500)}

    assert polled == {"com.example.A": [{"n": -1}, {"n": 2**62}], "com.example.B": [{"text": "ü"}]}


def test_single_objects_find_their_schema_by_its_fingerprint(writer, topic, listen):
    values = [single_object(A, {"n": 5}), single_object(B, {"text": "x"}), single_object(A, {"n": 6})]
    unknown = single_object({**A, "name": "Unknown"}, {"n": 7})
    writer.write_values(topic, [*values, unknown, body(A, {"n": 8})])
    listener = listen(
        registry_url=None, framing="single_object", schema=[A, B], mixed="group", errors="collect", metadata="schema_id"
    )

    batches = {batch.message_type: batch for batch in listener.batches(3, 500, idle_timeout=500)}

    assert batches["com.example.A"].to_arrow().to_pylist() == [
        {"n": 5, "_schema_id": None},
        {"n": 6, "_schema_id": None},
    ]
    assert batches["com.example.B"].to_arrow().to_pylist() == [{"text": "x", "_schema_id": None}]
    rejected = [row for batch in batches.values() if batch.rejected for row in batch.rejected.to_pylist()]
    assert [row["offset"] for row in rejected] == [3, 4]
    assert "fingerprint" in rejected[0]["message"]


class TestApicurio:
    """Ids of 8 bytes, as Apicurio's serializers write them: global ids, or content ids, of a real Apicurio registry."""

    @pytest.fixture
    def register(self, cluster, topic):
        """Registers a schema as the topic's newest, and gives its ids, which another artifact like it sets apart."""
        own = cluster.registry_url.replace("/apis/ccompat/v7", "/apis/registry/v3")

        def add(artifact, schema, references=()):
            content = {"content": json.dumps(schema), "contentType": "application/json", "references": list(references)}
            body = {"artifactId": artifact, "artifactType": "AVRO", "firstVersion": {"content": content}}
            url, headers = f"{own}/groups/default/artifacts", {"Content-Type": "application/json"}
            request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
            with urllib.request.urlopen(request, timeout=30) as answer:
                version = json.load(answer)["version"]
            return {"globalId": version["globalId"], "contentId": version["contentId"]}

        def register(schema, references=()):
            add(cluster.new_name("artifact"), schema, references)
            return add(f"{topic}-value", schema, references)

        register.add = add
        return register

    @pytest.mark.parametrize(
        ("use", "address"), [("globalId", ""), ("globalId", "/apis/ccompat/v7"), ("contentId", "/apis/registry/v3")]
    )
    def test_the_registry_is_told_which_id_it_is(self, use, address, register, cluster, writer, topic, listen):
        ids = register(B)
        assert ids["globalId"] != ids["contentId"]
        framed = [b"\0" + ids[use].to_bytes(8, "big") + body(B, {"text": text}) for text in ("a", "b")]
        bad = b"\0" + (2**40).to_bytes(8, "big")
        writer.write_values(topic, [framed[0], bad, None, framed[1]], key=framed[0])
        options = {
            "registry_url": cluster.registry_url.replace("/apis/ccompat/v7", address),
            "registry_config": {"apicurio.registry.use-id": use},
            "framing": "apicurio",
            "key": "avro",
            "metadata": ("key", "schema_id"),
            "tombstones": "skip",
            "errors": "skip",
        }

        letters = cluster.new_topic()
        with listen(**options, dead_letter_topic=letters) as listener:
            rows = listener.poll_batch(2, 5000).to_arrow().to_pylist()
            assert listener.stats()["skipped"] == 1
        plan = pykafarr.scan(cluster.servers, topic, reader_schema="latest", **options)
        scanned = plan.read().to_arrow("com.example.B")

        key = {"text": "a"}
        assert rows == [{"text": text, "_key": key, "_schema_id": ids[use]} for text in ("a", "b")]
        assert scanned.to_pylist() == rows
        assert plan.schema.names == ["text", "_key", "_schema_id"]
        (letter,) = raw_messages(cluster, letters, 0)
        assert b"more than any registry's" in dict(letter.headers())["pykafarr.message"]
        assert letter.value() == bad

    def test_a_schema_comes_with_what_it_refers_to(self, register, cluster, writer, topic, listen):
        money = cluster.new_name("money")
        register.add(money, {"type": "record", "name": "x.Money", "fields": [{"name": "cents", "type": "long"}]})
        fields = [{"name": "price", "type": "x.Money"}, {"name": "paid", "type": "x.Money"}]
        reference = {"groupId": "default", "artifactId": money, "version": "1", "name": "x.Money"}
        ids = register({"type": "record", "name": "x.Order", "fields": fields}, [reference])
        for use, framed in ids.items():
            writer.write_values(topic, [b"\0" + framed.to_bytes(8, "big") + b"\x02\x04"])
            config = {"apicurio.registry.use-id": use}
            with listen(framing="apicurio", registry_config=config, metadata=()) as listener:
                (row,) = listener.poll_batch(1, 5000).to_arrow().to_pylist()
            assert row == {"price": {"cents": 1}, "paid": {"cents": 2}}

    def test_at_the_command_line(self, register, cluster, writer, topic, capsys):
        framed = b"\0" + register(A)["globalId"].to_bytes(8, "big") + body(A, {"n": 7})
        writer.write_values(topic, [framed])
        command = ["read", "--servers", cluster.servers, "--topics", topic, "--registry", cluster.registry_url]
        command += ["--format", "json", "--start", "earliest"]

        assert cli.main([*command, "--value", "avro"]) == 1
        assert "in 8 bytes): set --framing apicurio" in capsys.readouterr().err

        use = ["--framing", "apicurio", "--registry-config", "apicurio.registry.use-id=globalId"]
        assert cli.main([*command, *use]) == 0
        assert '"n": 7' in capsys.readouterr().out

    def test_an_id_that_does_not_exist_is_named(self, writer, topic, listen):
        writer.write_values(topic, [b"\0" + (10**6).to_bytes(8, "big") + b"\2"])
        listener = listen(framing="apicurio", registry_config={"apicurio.registry.use-id": "globalId"})
        with pytest.raises(pykafarr.SchemaNotFoundError, match=r"schema 1000000: .*No version with global ID"):
            listener.poll(1, 1000)


class TestSchemaHeader:
    """Confluent's newer form, by its own serializer. Apicurio knows no GUIDs, the embedded registry does."""

    @pytest.fixture
    def kafka(self):
        with MockKafka(topics=["t"]) as kafka:
            yield kafka

    @pytest.fixture
    def produce(self, kafka):
        registry = SchemaRegistryClient({"url": kafka.registry_url})
        producer = Producer({"bootstrap.servers": kafka.servers, "log_level": 2})

        def write(schema, *records, in_header=True, more_headers=(), field=MessageField.VALUE):
            config = {"schema.id.serializer": header_schema_id_serializer} if in_header else {}
            serializer = AvroSerializer(registry, json.dumps(schema), conf=config)
            for record in records:
                headers = [*more_headers]
                data = serializer(record, SerializationContext("t", field, headers))
                message = {"value": data} if field == MessageField.VALUE else {"key": data, "value": b"v"}
                producer.produce("t", **message, headers=headers, partition=0)
            assert producer.flush(30) == 0

        yield write
        registry.close()

    @pytest.fixture
    def listen_there(self, kafka):
        def listen(**options):
            return pykafarr.listener(
                kafka.servers,
                "group",
                "t",
                kafka.registry_url,
                framing="schema_header",
                config={"auto.offset.reset": "earliest"},
                **options,
            )

        return listen

    def test_the_header_names_the_schema(self, produce, listen_there):
        produce(A, {"n": 1}, {"n": 2})
        produce(B, {"text": "x"})
        with listen_there(metadata=("headers", "schema_id")) as listener:
            first, second = listener.poll_batch(2, 5000), listener.poll_batch(1, 5000)

        assert first.message_type == "com.example.A"
        rows = first.to_arrow().to_pylist()
        assert [row["n"] for row in rows] == [1, 2]
        (header,) = rows[0]["_headers"]
        assert header["key"] == "__value_schema_id"
        assert (header["value"][0], len(header["value"])) == (1, 17)
        assert second.to_arrow().column("text").to_pylist() == ["x"]

    def test_a_message_without_the_header_is_read_by_its_first_bytes(self, produce, listen_there):
        produce(A, {"n": 1}, in_header=False)
        produce(A, {"n": 2})
        with listen_there(metadata="schema_id") as listener:
            _, frame = listener.poll(2, 5000)

        assert list(frame["n"]) == [1, 2]
        assert frame["_schema_id"].isna().tolist() == [False, True]

    def test_a_key_has_a_header_of_its_own(self, produce, listen_there):
        produce({"type": "string"}, "the key", field=MessageField.KEY)
        with listen_there(value="auto", key="avro") as listener:
            (row,) = listener.poll_batch(1, 5000).to_arrow().to_pylist()

        assert (row["value"], row["_key"]) == (b"v", "the key")

    @pytest.mark.parametrize(
        ("header", "told"),
        [(b"", "header __value_schema_id"), (b"\x07" * 17, "header __value_schema_id"), (b"\x01" * 17, "01010101-")],
    )
    def test_a_header_that_names_no_schema_is_told(self, header, told, kafka, listen_there):
        producer = Producer({"bootstrap.servers": kafka.servers, "log_level": 2})
        producer.produce("t", b"\x02", headers=[("__value_schema_id", header)], partition=0)
        assert producer.flush(30) == 0
        with listen_there() as listener, pytest.raises(pykafarr.KafarrError, match=rf"t\[0\]@0: .*{told}"):
            listener.poll(1, 1000)
