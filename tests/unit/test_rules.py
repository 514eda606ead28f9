"""Data contracts: what their rules have encrypted is not read as if it were text."""

import itertools
import json
import logging
import pickle
import urllib.request

import pytest
from confluent_kafka import Producer

import pykafarr
from pykafarr._cli import main as cli
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books

CARD = {"type": "record", "name": "Card", "fields": [{"name": "number", "type": "string"}]}
CUSTOMER = {
    "type": "record",
    "name": "Customer",
    "namespace": "com.example",
    "fields": [
        {"name": "id", "type": "int"},
        {"name": "ssn", "type": ["null", "string"], "confluent:tags": ["PII"]},
        {"name": "cards", "type": {"type": "array", "items": CARD}},
    ],
}
ENCRYPT = {"name": "hidePII", "kind": "TRANSFORM", "type": "ENCRYPT", "mode": "WRITEREAD", "tags": ["PII", "PCI"]}
METADATA = {"tags": {"com.example.Card.*": ["PCI"]}}
BODY = b"\2\2\6abc\2\4xy\0"
ROW = {"id": 1, "ssn": "abc", "cards": [{"number": "xy"}]}
REFUSED = (
    r'refused\[0\]@0: schema \d+: fields ssn, cards.item.number of the value are ciphertext, by rule "hidePII" '
    r"\(ENCRYPT\) of subject refused-value, which is not executed"
)


def register(kafka, subject, schema, rule_set, metadata=None):
    """Registers a schema with a data contract, as confluent-kafka does, and gives its id."""
    request = urllib.request.Request(
        f"{kafka.registry_url}/subjects/{subject}/versions",
        json.dumps({"schema": json.dumps(schema), "ruleSet": rule_set, "metadata": metadata}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["id"]


def framed(schema_id, body):
    return b"\0" + schema_id.to_bytes(4, "big") + body


@pytest.fixture(scope="module")
def kafka():
    with MockKafka(topics=["refused", "payload", "keys", "others", "untagged"]) as kafka:
        encrypted = register(kafka, "refused-value", CUSTOMER, {"domainRules": [ENCRYPT]}, METADATA)
        kafka.produce_raw("refused", [framed(encrypted, BODY)] * 3)
        kafka.produce_raw("keys", [framed(encrypted, BODY)], keys=[framed(encrypted, BODY)])
        whole = {"name": "seal", "kind": "TRANSFORM", "type": "ENCRYPT_PAYLOAD", "mode": "WRITEREAD"}
        payload = register(kafka, "payload-value", CUSTOMER, {"encodingRules": [whole]})
        kafka.produce_raw("payload", [framed(payload, b"\x93\x17\x20")])
        check = {"name": "check", "kind": "CONDITION", "type": "CEL", "mode": "WRITE", "expr": "true"}
        change = {"name": "change", "kind": "TRANSFORM", "type": "JSONATA", "mode": "UPGRADE", "expr": "$"}
        others = register(
            kafka,
            "others-value",
            CUSTOMER,
            {"domainRules": [check, {**ENCRYPT, "disabled": True}], "migrationRules": [change]},
        )
        kafka.produce_raw("others", [framed(others, BODY)] * 2)
        untagged = register(kafka, "untagged-value", CUSTOMER, {"domainRules": [{**ENCRYPT, "tags": ["SECRET"]}]})
        kafka.produce_raw("untagged", [framed(untagged, BODY)])
        yield kafka


@pytest.fixture
def listen(kafka, request):
    def listen(topic="refused", **options):
        group, config = f"{request.node.name} {next(groups)}", {"auto.offset.reset": "earliest"}
        options = {"metadata": (), **options}
        return pykafarr.listener(kafka.servers, group, topic, kafka.registry_url, config=config, **options)

    groups = itertools.count()

    return listen


@pytest.mark.parametrize("errors", ["raise", "skip", "collect"])
def test_encrypted_fields_are_refused_at_every_poll_and_no_message_is_passed(listen, errors):
    with listen(errors=errors) as p:
        for _ in range(2):
            with pytest.raises(pykafarr.ConfigError, match=REFUSED):
                p.poll_batch(3, 5000)
        assert p.position() == {pykafarr.TopicPartition("refused", 0): 0}
        stats = p.stats()
        assert (stats["rows"], stats["skipped"], stats["rejected"]) == (0, 0, 0)


def test_columns_that_are_not_encrypted_are_read_and_counted(listen):
    with listen(columns=["id"]) as p:
        assert p.poll_batch(3, 5000).to_arrow().to_pylist() == [{"id": 1}] * 3
        assert p.stats()["rules_not_run"] == 3
    refused = r"field cards\.item\.number of the value is"
    with listen(columns=["id", "cards"]) as p, pytest.raises(pykafarr.ConfigError, match=refused):
        p.poll_batch(3, 5000)


def test_a_reader_schema_reads_what_is_not_encrypted(listen):
    reader = {**CUSTOMER, "fields": CUSTOMER["fields"][:1]}
    with listen(reader_schema=reader) as p:
        assert p.poll_batch(3, 5000).to_arrow().to_pylist() == [{"id": 1}] * 3
    with listen(reader_schema=CUSTOMER) as p, pytest.raises(pykafarr.ConfigError, match="hidePII"):
        p.poll_batch(3, 5000)


def test_ignoring_rules_reads_the_ciphertext_and_says_so_once(listen, caplog):
    with caplog.at_level(logging.WARNING, "pykafarr"), listen(rules="ignore") as p:
        assert [p.poll_batch(1, 5000).to_arrow().to_pylist() for _ in range(3)] == [[ROW]] * 3
        assert p.stats()["rules_not_run"] == 3
    (line,) = [entry.getMessage() for entry in caplog.records]
    assert 'fields ssn, cards.item.number of the value are ciphertext, by rule "hidePII" (ENCRYPT)' in line


def test_an_encrypted_payload_is_refused_and_comes_as_bytes(listen):
    refused = r'the whole value is ciphertext, by rule "seal" \(ENCRYPT_PAYLOAD\) of subject payload-value'
    with listen("payload", errors="skip", columns=["id"]) as p:
        for _ in range(2):
            with pytest.raises(pykafarr.ConfigError, match=refused):
                p.poll_batch(1, 5000)
    with listen("payload", value="bytes") as p:
        assert p.poll_batch(1, 5000).to_arrow().to_pylist()[0]["value"].endswith(b"\x93\x17\x20")


def test_an_encrypted_key_is_refused(listen):
    refused = r"fields ssn, cards\.item\.number of the key are ciphertext"
    with (
        listen("keys", key="avro", columns=["id"], errors="skip") as p,
        pytest.raises(pykafarr.ConfigError, match=refused),
    ):
        p.poll_batch(1, 5000)
    with listen("keys", key="avro", columns=["id"], rules="ignore") as p:
        assert p.poll_batch(1, 5000).to_arrow().to_pylist() == [{"id": 1, "_key": ROW}]
        assert p.stats()["rules_not_run"] == 1


def test_other_rules_and_rules_that_are_disabled_are_counted_only(listen):
    with listen("others") as p:
        assert p.poll_batch(2, 5000).to_arrow().to_pylist() == [ROW] * 2
        assert p.stats()["rules_not_run"] == 2


def test_a_rule_without_a_field_of_its_tags_refuses_nothing(listen):
    with listen("untagged") as p:
        assert p.poll_batch(1, 5000).to_arrow().to_pylist() == [ROW]


def test_a_schema_without_rules_is_not_counted_and_costs_no_request_more(kafka, listen):
    kafka.produce("plain", CARD, [{"number": "1"}])
    with listen("plain") as p:
        assert p.poll_batch(1, 5000).to_arrow().to_pylist() == [{"number": "1"}]
        assert p.stats()["rules_not_run"] == 0


def test_a_schema_that_is_named_by_its_guid_is_refused(kafka, listen):
    kafka.create_topic("guid")
    with urllib.request.urlopen(f"{kafka.registry_url}/subjects/refused-value/versions/1") as answer:
        guid = json.load(answer)["guid"]
    header = b"\1" + bytes.fromhex(guid.replace("-", ""))
    producer = Producer({"bootstrap.servers": kafka.servers})
    producer.produce("guid", BODY, headers=[("__value_schema_id", header)])
    producer.flush()
    with listen("guid", framing="schema_header") as p, pytest.raises(pykafarr.ConfigError, match='by rule "hidePII"'):
        p.poll_batch(1, 5000)


@pytest.mark.parametrize("errors", ["raise", "skip"])
def test_a_scan_refuses_and_ignores_likewise(kafka, errors):
    def plan(**options):
        options = {"metadata": (), "errors": errors, **options}
        return pykafarr.scan(kafka.servers, "refused", kafka.registry_url, **options)

    for refusing in (plan(), plan(reader_schema="latest"), *pickle.loads(pickle.dumps(plan().tasks(max_rows=2)))):
        with refusing.read() as stream, pytest.raises(pykafarr.ConfigError, match="hidePII"):
            list(stream)
    with pytest.raises(pykafarr.ConfigError, match="hidePII"):
        _ = plan().schema
    with plan(rules="ignore").read() as stream:
        assert stream.to_arrow("com.example.Customer").to_pylist() == [ROW] * 3
        assert [part.rules_not_run for part in stream.report] == [3]


@pytest.mark.parametrize("place", [["--idle-timeout", "500", "--from-beginning"], ["--start", "earliest"]])
def test_the_command_line_refuses_and_ignores_likewise(kafka, place, capsys):
    command = ["read", "--servers", kafka.servers, "--registry", kafka.registry_url, "--topics", "refused", *place]
    command += ["--format", "json", "--metadata"]
    assert cli.main(command) == 1
    assert 'rule "hidePII" (ENCRYPT)' in capsys.readouterr().err
    assert cli.main([*command, "--rules", "ignore"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [ROW] * 3
