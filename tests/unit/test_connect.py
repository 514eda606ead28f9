"""Envelopes of Kafka Connect: JSON that brings its own schema."""

from __future__ import annotations

import json
import pickle

import pyarrow as pa
import pytest

import pykafarr
from pykafarr import ConfigError, DecodeError
from pykafarr.testing import MockKafka

CONNECT = {"value": "json", "framing": "connect"}


def field(field_name, type_, *, optional=False, **more):
    return {"type": type_, "optional": optional, "field": field_name, **more}


def struct(name, *fields, **more):
    return {"type": "struct", "fields": list(fields), "optional": False, "name": name, **more}


def envelope(schema, payload):
    return json.dumps({"schema": schema, "payload": payload}).encode()


ROW = (
    field("id", "int32"),
    field("at", "int64", name="io.debezium.time.MicroTimestamp", version=1),
    field(
        *("price", "bytes"),
        name="org.apache.kafka.connect.data.Decimal",
        parameters={"scale": "2", "connect.decimal.precision": "10"},
    ),
    field("state", "string", optional=True, name="io.debezium.data.Enum", parameters={"allowed": "new,old"}),
)
CHANGE = struct(
    "shop.orders.Envelope",
    {**struct("shop.orders.Value", *ROW), "optional": True, "field": "before"},
    {**struct("shop.orders.Value", *ROW), "optional": True, "field": "after"},
    field("op", "string"),
)
ORDER = {"id": 1, "at": 1700000000000000, "price": "BNI=", "state": "new"}
CHANGES = [
    envelope(CHANGE, {"before": None, "after": ORDER, "op": "c"}),
    envelope(CHANGE, {"before": ORDER, "after": None, "op": "d"}),
]
TEXT = envelope({"type": "string", "optional": True}, "a")


@pytest.fixture
def kafka():
    with MockKafka() as kafka:
        yield kafka


def test_changes_of_debezium_are_rows_with_their_types(kafka):
    kafka.produce_raw("t", [*CHANGES, None, envelope(CHANGE, None)])
    options = {**CONNECT, "config": {"auto.offset.reset": "earliest"}}
    with pykafarr.listener(kafka.servers, "g", "t", None, **options) as p:
        batch = p.poll_batch(10, 5000)
        assert batch.message_type == "shop.orders.Envelope"
        rows = batch.to_arrow()
        after = rows.schema.field("after").type
        assert [str(after.field(name).type) for name in ("id", "at", "price", "state")] == [
            *("int32", "timestamp[us]", "decimal128(10, 2)", "dictionary<values=string, indices=int32, ordered=0>")
        ]
        first, second = rows.to_pylist()
        assert first["before"] is None
        assert (str(first["after"]["price"]), first["after"]["state"], first["op"]) == ("12.34", "new", "c")
        assert second["after"] is None
        message_type, tombstones = p.poll(10, 5000)
        assert (message_type, tombstones["_offset"].tolist()) == ("null", [2, 3])
        assert p.stats()["unknown_members"] == 0


def test_a_scan_of_envelopes_has_the_schema_of_its_last_message_and_its_tasks_the_rows(kafka):
    kafka.produce_raw("t", [*CHANGES, envelope(CHANGE, None)])
    plan = pykafarr.scan(kafka.servers, "t", None, tombstones="skip", columns=["op"], **CONNECT)
    assert plan.schema.names == ["op", "_offset"]
    assert plan.inferred == {}
    rows = []
    for task in pickle.loads(pickle.dumps(plan)).tasks(max_rows=1):
        with task.read() as stream:
            rows += [row for batch in stream for row in batch.to_arrow().to_pylist()]
    assert rows == [{"op": "c", "_offset": 0}, {"op": "d", "_offset": 1}]
    kept = pykafarr.read(kafka.servers, "t", None, tombstones="keep", metadata="tombstone", **CONNECT)
    with kept as stream:
        assert [row["_tombstone"] for batch in stream for row in batch.to_arrow().to_pylist()] == [False, False, True]


def test_who_infers_a_schema_of_envelopes_is_told_which_option_reads_them(kafka, caplog):
    kafka.produce_raw("t", CHANGES, keys=[CHANGES[0], CHANGES[1]])
    options = {"value": "json", "key": "json", "config": {"auto.offset.reset": "earliest"}}
    with pykafarr.listener(kafka.servers, "g", "t", None, metadata="key", **options) as p:
        assert len(p.poll(10, 5000)[1]) == 2
        assert len(p.poll(1, 0)[1]) == 0
    told = [r.getMessage() for r in caplog.records if "as Kafka Connect's envelopes have" in r.getMessage()]
    assert len(told) == 2
    assert all('framing="connect"' in text for text in told)
    caplog.clear()
    with pykafarr.read(kafka.servers, "t", None, value="json") as stream:
        assert sum(batch.num_rows for batch in stream) == 2
    assert caplog.text.count("as Kafka Connect's envelopes have") == 1


def test_a_value_that_an_enum_of_debezium_does_not_allow_fails_its_row_until_its_schema_does(kafka):
    def changed(allowed, state):
        schema = struct(
            "x.Row", field("state", "string", name="io.debezium.data.Enum", parameters={"allowed": allowed})
        )
        return envelope(schema, {"state": state})

    kafka.produce_raw("t", [changed("new,old", "new"), changed("new,old", "sold"), changed("new,old,sold", "sold")])
    with pytest.raises(DecodeError, match=r"^t\[0\]@1: state: the string is none of the schema's symbols"):
        pykafarr.read(kafka.servers, "t", None, **CONNECT).to_arrow()
    with pykafarr.read(kafka.servers, "t", None, errors="skip", **CONNECT) as stream:
        found = [row for batch in stream for row in batch.to_arrow().to_pylist()]
    assert found == [{"state": "new", "_offset": 0}, {"state": "sold", "_offset": 2}]


def test_times_of_debezium_in_iso_8601_are_texts(kafka):
    names = {"IsoDate": "2023-11-14Z", "IsoTime": "22:13:20.5Z", "IsoTimestamp": "2023-11-14T22:13:20.5Z"}
    schema = struct("x.Row", *(field(name, "string", name=f"io.debezium.time.{name}", version=1) for name in names))
    kafka.produce_raw("t", [envelope(schema, names)])
    found = pykafarr.read(kafka.servers, "t", None, metadata=(), **CONNECT).to_arrow("x.Row")
    assert found.to_pylist() == [names]
    assert set(found.schema.types) == {pa.string()}


def test_messages_of_several_schemas_are_several_types(kafka):
    kafka.produce_raw("t", [CHANGES[0], TEXT, CHANGES[1], TEXT])
    for mixed, want in (
        ("split", ["shop.orders.Envelope", "t", "shop.orders.Envelope", "t"]),
        ("group", ["shop.orders.Envelope", "t"]),
    ):
        with pykafarr.read(kafka.servers, "t", None, mixed=mixed, **CONNECT) as stream:
            assert [batch.message_type for batch in stream] == want


def test_a_reader_schema_of_connects_reads_all_versions_alike(kafka):
    newer = struct("x.A", field("n", "int64"), field("more", "string", optional=True))
    older = struct("x.A", field("n", "int64"))
    kafka.produce_raw("t", [envelope(older, {"n": 1}), envelope(newer, {"n": 2, "more": "x"})])
    for reader in (json.dumps(newer), newer):
        with pykafarr.read(kafka.servers, "t", None, reader_schema=reader, **CONNECT) as stream:
            batches = [batch.to_arrow() for batch in stream]
        assert [row["more"] for batch in batches for row in batch.to_pylist()] == [None, "x"]
        assert len(batches) == 1


def test_decode_takes_the_schema_of_the_first_envelope_and_a_decoder_keeps_it():
    batch = pykafarr.decode(None, CHANGES, **CONNECT)
    assert batch.schema.names == ["before", "after", "op"]
    assert batch.to_pylist()[0]["after"]["id"] == 1
    decoder = pykafarr.Decoder(None, **CONNECT)
    with pytest.raises(ConfigError, match="no envelope has come"):
        _ = decoder.schema
    assert decoder.decode(CHANGES).num_rows == 2
    assert decoder.schema.names == batch.schema.names
    with pytest.raises(DecodeError, match=r"payload 1: the envelope's schema gives a json of other columns") as caught:
        decoder.decode([CHANGES[0], TEXT])
    assert caught.value.offset == 1
    for schema in (CHANGE, json.dumps(CHANGE)):
        again = pickle.loads(pickle.dumps(pykafarr.Decoder(schema, **CONNECT)))
        assert again.decode(CHANGES).equals(batch)
    assert pykafarr.decode(None, [TEXT, TEXT], **CONNECT).to_pydict() == {"value": ["a", "a"]}


def test_a_schema_of_connects_reads_payloads_without_an_envelope():
    payloads = [json.dumps(json.loads(change)["payload"]).encode() for change in CHANGES]
    for schema in (CHANGE, json.dumps(CHANGE)):
        found = pykafarr.decode(schema, payloads, value="json")
        assert found.equals(pykafarr.decode(CHANGE, CHANGES, **CONNECT))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"framing": "connect"}, "envelopes of Connect are read with value json"),
        ({**CONNECT, "schema": {"id": "int64"}}, "envelopes carry theirs"),
    ],
)
def test_options_that_do_not_go_with_envelopes_are_refused(options, text):
    with pytest.raises(ConfigError, match=text):
        pykafarr.listener("a:1", "g", "t", None, **options)


def test_envelopes_are_recognized_where_another_option_is_set(kafka):
    kafka.produce_raw("t", CHANGES)
    with (
        pykafarr.read(kafka.servers, "t", kafka.registry_url) as stream,
        pytest.raises(
            pykafarr.FramingError, match=r'an envelope of Kafka Connect, .*: set value="json" and framing="con'
        ),
    ):
        list(stream)
    with pytest.raises(DecodeError, match='value="json" and framing="connect" decode them'):
        pykafarr.decode('"string"', CHANGES)


def test_a_body_that_is_json_is_no_row_of_bare_avro_even_where_it_could_be_read(kafka):
    fields = [{"name": "id", "type": "long"}, {"name": "text", "type": "string"}]
    schema = json.dumps({"type": "record", "name": "R", "fields": fields})
    value = b'{"id":1,"name":"x"}'
    kafka.produce_raw("t", [value, b"\x02\x02a"])
    options = {"framing": "bare", "schema": schema}
    with (
        pykafarr.read(kafka.servers, "t", None, **options) as stream,
        pytest.raises(DecodeError, match=r't\[0\]@0: the body is an object or array in JSON .*: set value="json"'),
    ):
        list(stream)
    with pykafarr.read(kafka.servers, "t", None, errors="skip", **options) as stream:
        assert pa.Table.from_batches([b.to_arrow() for b in stream]).to_pylist() == [
            {"id": 1, "text": "a", "_offset": 1}
        ]
    with pytest.raises(DecodeError, match=r'payload 0: .* no Avro.*value="json" and a schema of it decode them'):
        pykafarr.decode(schema, [value])


KEY = envelope(struct("shop.orders.Key", field("id", "int32")), {"id": 1})


def test_keys_of_debezium_are_structs_of_their_envelopes(kafka):
    kafka.produce_raw("t", [CHANGES[0], None], keys=[KEY, KEY])
    with pykafarr.read(kafka.servers, "t", None, key="json", **CONNECT) as stream:
        rows = [row for batch in stream for row in batch.to_arrow().to_pylist()]
    assert [row["_key"] for row in rows] == [{"id": 1}, {"id": 1}]


def test_keys_of_json_are_inferred_once_and_the_schema_is_pasted_back(kafka):
    kafka.produce_raw("t", [b"{}", b"{}"], keys=[b'{"id":1}', b'{"id":2.5}'])
    options = {"value": "bytes", "key": "json"}
    plan = pykafarr.scan(kafka.servers, "t", None, **options)
    assert plan.inferred == {}
    found = plan.inferred_keys["t"]
    assert found.equals(pa.schema([("id", pa.float64())]))
    assert plan.with_options(columns=None).inferred_keys == plan.inferred_keys
    assert plan.with_options(key_schema=found).inferred_keys == {}
    assert plan.with_options(key="string").with_options(key="json").inferred_keys == plan.inferred_keys
    for again in (plan, pickle.loads(pickle.dumps(plan)).with_options(key_schema={"t": found})):
        with again.read() as stream:
            keys = [row["_key"] for batch in stream for row in batch.to_arrow().to_pylist()]
        assert keys == [{"id": 1.0}, {"id": 2.5}]
    listener = pykafarr.listener(kafka.servers, "g", "t", None, config={"auto.offset.reset": "earliest"}, **options)
    with listener as p:
        assert len(p.poll(10, 5000)[1]) == 2
        assert p.schema("t", of_keys=True).equals(found)
        assert p.schema("t") is None


def test_keys_of_json_without_one_that_is_json_say_which_option_gives_their_schema(kafka):
    kafka.produce_raw("t", [b"{}"], keys=[b"plain"])
    with pytest.raises(
        ConfigError, match=r"no schema could be inferred for the keys of topic t: .*give it: key_schema="
    ):
        pykafarr.scan(kafka.servers, "t", None, value="bytes", key="json")
    with pytest.raises(ConfigError, match="it is for keys of JSON"):
        pykafarr.scan(kafka.servers, "t", None, value="bytes", key="string", key_schema={"id": "int64"})
