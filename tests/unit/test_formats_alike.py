"""What listeners and scans do with messages is the same for each format: grouping, tombstones, letters, plans."""

from __future__ import annotations

import json
import pickle
import struct
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import pykafarr
from pykafarr import ConfigError
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLACE = {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}}
ORDER = {
    "title": "Order",
    "type": "object",
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}, "to": PLACE},
    "required": ["id", "name"],
}
MESSAGES = "message Other { int64 id = 1; } message Place { string city = 1; string zip = 2; }"
ENCRYPT = {"name": "hidePII", "kind": "TRANSFORM", "type": "ENCRYPT", "mode": "WRITEREAD", "tags": ["PII"]}


def proto(order: str, more: str = "") -> str:
    return f'syntax = "proto3"; {more} message Order {{ {order} }} {MESSAGES}'


def text(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


@dataclass(frozen=True)
class Form:
    """A format: two versions of a schema, another schema, and bodies of all of them."""

    word: str
    kind: str
    schema: str
    # Protobuf calls the field of the number 2 otherwise, JSON Schema has another member.
    newer: str
    other: str
    body: Callable[[int], bytes]
    other_body: Callable[[int], bytes]
    bad: bytes
    indexes: bytes = b""
    other_indexes: bytes = b""


FORMS = [
    Form(
        "protobuf",
        "PROTOBUF",
        proto("int64 id = 1; string name = 2; Place to = 3;"),
        proto("int64 id = 1; string title = 2; Place to = 3; optional int32 added = 4;"),
        proto("int64 id = 1; string name = 2; Place to = 3;"),
        lambda n: b"\x08" + bytes([n]) + text(2, b"n%d" % n) + text(3, text(1, b"c%d" % n) + text(2, b"z")),
        lambda n: b"\x08" + bytes([n]),
        b"\x08\x01\x12\x05ab",
        b"\0",
        b"\x02\x02",
    ),
    Form(
        "jsonschema",
        "JSON",
        json.dumps(ORDER),
        json.dumps({**ORDER, "properties": {**ORDER["properties"], "added": {"type": "integer"}}}),  # type: ignore[dict-item]
        json.dumps({"title": "Other", "properties": {"id": {"type": "integer"}}, "required": ["id"]}),
        lambda n: json.dumps({"id": n, "name": f"n{n}", "to": {"city": f"c{n}", "zip": "z"}}).encode(),
        lambda n: json.dumps({"id": n}).encode(),
        b'{"id": 1, "name": 5}',
    ),
]


@pytest.fixture(params=FORMS, ids=lambda form: form.word)
def form(request: pytest.FixtureRequest) -> Form:
    found: Form = request.param
    return found


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka() as made:
        yield made


def register(kafka: MockKafka, subject: str, schema: str, kind: str, **more: Any) -> bytes:
    """The framing of a schema, which is registered, with what a data contract has besides."""
    request = urllib.request.Request(
        f"{kafka.registry_url}/subjects/{subject}/versions",
        json.dumps({"schema": schema, "schemaType": kind, **more}).encode(),
    )
    with urllib.request.urlopen(request) as answer:
        return struct.pack(">bI", 0, json.load(answer)["id"])


class Topic:
    """A topic of its own for each test, and what writes to it and reads it."""

    def __init__(self, kafka: MockKafka, form: Form, name: str) -> None:
        self.kafka, self.form, self.name = kafka, form, name
        self.orders = register(kafka, f"{name}-value", form.schema, form.kind) + form.indexes
        self.others = register(kafka, f"{name}-other", form.other, form.kind) + form.other_indexes

    def write(self, *values: bytes | None, keys: list[bytes] | None = None) -> None:
        self.kafka.produce_raw(self.name, values, keys=keys)

    def order(self, number: int) -> bytes:
        return self.orders + self.form.body(number)

    def other(self, number: int) -> bytes:
        return self.others + self.form.other_body(number)

    def plan(self, **options: Any) -> pykafarr.Plan:
        return pykafarr.scan(self.kafka.servers, self.name, self.kafka.registry_url, value=self.form.word, **options)

    def scanned(self, **options: Any) -> list[tuple[str, list[dict[str, Any]]]]:
        with self.plan(**options).read() as stream:
            return [(batch.message_type, batch.to_arrow().to_pylist()) for batch in stream]

    def listen(self, **options: Any) -> pykafarr.Listener:
        config = {"auto.offset.reset": "earliest"}
        where = (self.kafka.servers, f"group of {self.name}", self.name, self.kafka.registry_url)
        return pykafarr.listener(*where, config=config, value=self.form.word, **options)


@pytest.fixture
def topic(kafka: MockKafka, form: Form, request: pytest.FixtureRequest) -> Topic:
    return Topic(kafka, form, "t" + "".join(one for one in request.node.name if one.isalnum())[-150:])


@pytest.mark.parametrize("mixed", ["split", "group"])
def test_types_that_alternate_are_frames_of_their_own_or_grouped(topic: Topic, mixed: str) -> None:
    topic.write(topic.order(1), topic.other(2), topic.order(3), topic.other(4))
    options: dict[str, Any] = {"mixed": mixed, "columns": "id", "metadata": ()}
    with topic.listen(**options) as p:
        listened = [
            (batch.message_type, batch.to_arrow().column("id").to_pylist())
            for batch in p.batches(4, 500, idle_timeout=200)
        ]
    found = [(name, [row["id"] for row in rows]) for name, rows in topic.scanned(**options)]
    if mixed == "group":
        assert sorted(found) == sorted(listened) == [("Order", [1, 3]), ("Other", [2, 4])]
    else:
        assert found == listened == [("Order", [1]), ("Other", [2]), ("Order", [3]), ("Other", [4])]


@pytest.mark.parametrize("errors", ["skip", "collect"])
def test_a_bad_message_is_left_out_and_goes_to_the_letters_as_it_was(topic: Topic, errors: str) -> None:
    bad = topic.orders + topic.form.bad
    topic.write(topic.order(1), bad, topic.order(3), keys=[b"1", b"2", b"3"])
    letters = f"letters-{topic.name}"
    topic.kafka.create_topic(letters)
    with topic.listen(errors=errors, dead_letter_topic=letters, columns=["id", "name"]) as p:
        ids: list[int] = []
        for batch in p.batches(10, 5000, idle_timeout=500):
            ids += batch.to_arrow().column("id").to_pylist()
        p.commit()
        assert p.stats()["skipped" if errors == "skip" else "rejected"] == 1
    assert ids == [1, 3]
    with pykafarr.read(topic.kafka.servers, letters, None, value="bytes", key="bytes", metadata="headers") as stream:
        (letter,) = stream.to_arrow("bytes").to_pylist()
    headers = {header["key"]: header["value"] for header in letter["_headers"]}
    assert (letter["value"], letter["_key"], headers["pykafarr.error"]) == (bad, b"2", b"DecodeError")
    assert headers["pykafarr.message"].decode().startswith(f"{topic.name}[0]@1: schema ")
    assert b": name: " in headers["pykafarr.message"]
    plan = topic.plan(errors="skip")
    with plan.read() as stream:
        assert stream.to_arrow("Order").column("id").to_pylist() == [1, 3]
        assert [part.skipped for part in stream.report] == [1]
    with pytest.raises(pykafarr.DecodeError, match=rf"^{topic.name}\[0\]@1: schema \d+: name: "):
        topic.scanned()


def test_tombstones_are_split_off_kept_or_left_out(topic: Topic) -> None:
    topic.write(topic.order(1), None, topic.order(3), keys=[b"k", b"k", b"l"])
    assert [(name, len(rows)) for name, rows in topic.scanned()] == [("Order", 2), ("null", 1)]
    kept = [(name, row) for name, rows in topic.scanned(tombstones="keep", metadata="tombstone") for row in rows]
    assert kept[1] == ("Order", {"id": None, "name": None, "to": None, "_tombstone": True})
    assert [row["id"] for _, row in kept] == [1, None, 3]
    plan = topic.plan(tombstones="keep")
    assert all(plan.schema.field(name).nullable for name in ("id", "name", "to"))
    with topic.listen(tombstones="skip") as p:
        rows = 0
        while rows < 2:
            rows += len(p.poll(10, 5000)[1])
        assert p.stats()["tombstones"] == 1


def test_versions_are_read_as_one_schema_by_numbers_or_by_names(topic: Topic) -> None:
    newer = register(topic.kafka, f"{topic.name}-newer", topic.form.newer, topic.form.kind) + topic.form.indexes
    added = (
        topic.form.body(2) + b"\x20\x05" if topic.form.word == "protobuf" else b'{"id": 2, "name": "n2", "added": 5}'
    )
    topic.write(topic.order(1), newer + added, topic.order(3))
    options: dict[str, Any] = {"reader_schema": topic.form.newer, "metadata": ()}
    name = "title" if topic.form.word == "protobuf" else "name"
    expected = [{"id": n, name: f"n{n}", "added": 5 if n == 2 else None} for n in (1, 2, 3)]
    columns = ["id", name, "added"]
    assert topic.scanned(columns=columns, **options) == [("Order", expected)]
    with topic.listen(columns=columns, **options) as p:
        batch = p.poll_batch(3, 5000)
    assert batch is not None
    assert batch.to_arrow().to_pylist() == expected
    register(topic.kafka, f"{topic.name}-value", topic.form.newer, topic.form.kind)
    assert topic.scanned(columns=columns, reader_schema="latest", metadata=()) == [("Order", expected)]


def test_columns_below_others_are_read_and_the_rest_is_passed_over(topic: Topic) -> None:
    topic.write(topic.order(1), topic.order(2))
    assert topic.scanned(columns=["to.city"], metadata=()) == [
        ("Order", [{"to": {"city": "c1"}}, {"to": {"city": "c2"}}])
    ]
    assert topic.scanned(columns=["id"], metadata=()) == [("Order", [{"id": 1}, {"id": 2}])]
    with pytest.raises(ConfigError, match=r'no field "town"'):
        topic.scanned(columns=["to.town"])


def test_a_submessage_that_no_column_takes_is_not_looked_into(kafka: MockKafka) -> None:
    topic = Topic(kafka, FORMS[0], "passed-over")
    topic.write(topic.orders + b"\x08\x01" + text(3, b"\xff\xff"))
    assert topic.scanned(columns=["id"], metadata=()) == [("Order", [{"id": 1}])]
    with pytest.raises(pykafarr.DecodeError, match=r"\[0\]@0: schema \d+: to"):
        topic.scanned(columns=["to.city"])


def test_plans_and_tasks_are_pickled_and_read_elsewhere(topic: Topic) -> None:
    topic.write(*(topic.order(number) for number in range(5)))
    plan = topic.plan(reader_schema="latest", columns=["id", "to.zip"], key="bytes")
    again = pickle.loads(pickle.dumps(plan))
    assert again.schema.equals(plan.schema)
    assert again.schema.names == ["id", "to", "_offset", "_key"]
    tasks = pickle.loads(pickle.dumps(again.tasks(max_rows=2)))
    rows = [row for task in tasks for row in task.read().to_arrow("Order").to_pylist()]
    assert rows == [{"id": n, "to": {"zip": "z"}, "_offset": n, "_key": None} for n in range(5)]


SECRETS = {
    "protobuf": proto(
        'int64 id = 1; string ssn = 2 [(confluent.field_meta).tags = "PII"]; Place to = 3; '
        'repeated bytes pictures = 4 [(confluent.field_meta).tags = "PII"];',
        'import "confluent/meta.proto";',
    ),
    "jsonschema": json.dumps(
        {
            "title": "Order",
            "type": "object",
            "properties": {
                "id": {"type": "integer"},
                "ssn": {"type": "string", "confluent:tags": ["PII"]},
                "to": PLACE,
                "pictures": {"type": "array", "items": {"type": "string"}, "confluent:tags": ["PII"]},
            },
        }
    ),
}
TAGS = {"protobuf": "Place.zip", "jsonschema": "$.to.zip"}


class TestEncryptedFields:
    """Those of tags in the schema, and of patterns beside it: they are refused, left out, or read as they are."""

    @pytest.fixture
    def sealed(self, topic: Topic) -> Topic:
        contract = {"ruleSet": {"domainRules": [ENCRYPT]}, "metadata": {"tags": {TAGS[topic.form.word]: ["PII"]}}}
        schema, kind = SECRETS[topic.form.word], topic.form.kind
        topic.orders = register(topic.kafka, f"{topic.name}-sealed", schema, kind, **contract) + topic.form.indexes
        body = topic.form.body(1).replace(b'"name"', b'"ssn"')
        topic.write(topic.orders + body, topic.orders + body)
        return topic

    @pytest.mark.parametrize("errors", ["raise", "skip"])
    @pytest.mark.parametrize("rules", ["raise", {"encrypt": {"secret": "a"}}], ids=["refused", "to be decrypted"])
    def test_they_are_refused_and_no_message_is_passed(self, sealed: Topic, errors: str, rules: Any) -> None:
        refused = r"fields ssn, to\.zip, pictures of the value are ciphertext, by rule \"hidePII\" \(ENCRYPT\)"
        with pytest.raises(ConfigError, match=refused):
            sealed.scanned(errors=errors, rules=rules)
        with sealed.listen(errors=errors, rules=rules) as p:
            for _ in range(2):
                with pytest.raises(ConfigError, match=refused):
                    p.poll_batch(2, 5000)
            assert p.stats()["skipped"] == 0

    def test_columns_and_reader_schemas_leave_them_out(self, sealed: Topic) -> None:
        expected = [("Order", [{"id": 1, "to": {"city": "c1"}}] * 2)]
        assert sealed.scanned(columns=["id", "to.city"], metadata=()) == expected
        reader = {
            "protobuf": (
                'syntax = "proto3"; message Order { int64 id = 1; Place to = 3; } message Place { string city = 1; }'
            ),
            "jsonschema": json.dumps(
                {"title": "Order", "properties": {"id": {"type": "integer"}, "to": {"properties": {"city": {}}}}}
            ),
        }[sealed.form.word]
        ((_, rows),) = sealed.scanned(reader_schema=reader, metadata=())
        assert [row["id"] for row in rows] == [1, 1]
        with pytest.raises(ConfigError, match="hidePII"):
            sealed.scanned(reader_schema=SECRETS[sealed.form.word])
        register(sealed.kafka, f"{sealed.name}-value", SECRETS[sealed.form.word], sealed.form.kind)
        with pytest.raises(ConfigError, match="hidePII"):
            sealed.scanned(reader_schema="latest")

    def test_they_are_read_as_they_are_where_rules_are_ignored(self, sealed: Topic) -> None:
        ((_, rows),) = sealed.scanned(rules="ignore", columns=["ssn"], metadata=())
        assert rows == [{"ssn": "n1"}] * 2

    def test_an_encrypted_payload_is_refused(self, topic: Topic) -> None:
        rule = {**ENCRYPT, "name": "seal", "type": "ENCRYPT_PAYLOAD"}
        contract = {"ruleSet": {"encodingRules": [rule]}}
        schema, kind = topic.form.newer, topic.form.kind
        topic.orders = register(topic.kafka, f"{topic.name}-payload", schema, kind, **contract) + topic.form.indexes
        topic.write(topic.orders + b"\xf0\x01\x02")
        with pytest.raises(ConfigError, match=r'the whole value is ciphertext, by rule "seal" \(ENCRYPT_PAYLOAD\)'):
            topic.scanned(errors="skip")
