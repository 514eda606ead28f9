"""Fields that confluent-kafka's own serializer has encrypted: `encrypted.json` is what it wrote and registered."""

import base64
import contextlib
import itertools
import json
import pickle
import traceback
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import pykafarr
from pykafarr._cli import main as cli
from pykafarr._engines import spark_options
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books
from tests.servers.faulty_registry import Answer, FaultyRegistry

GOLDEN = json.loads((Path(__file__).parent / "encrypted.json").read_text())
SECRET, CASES = GOLDEN["secret"], {case["subject"].removesuffix("-value"): case for case in GOLDEN["cases"]}
TOPICS = list(CASES)
NOT_ROTATED, ROTATED = TOPICS[0], TOPICS[2]
ROWS = [
    {"id": 1, "ssn": "123-45", "photo": b"\0\xff", "email": "a@b", "names": ["x", "ÿ€"], "card": ("4711", "gold")},
    {"id": 2, "ssn": "", "photo": b"", "email": None, "names": [], "card": ("", "none")},
    {"id": 3, "ssn": "s" * 300, "photo": b"p" * 700, "email": "c@d", "names": ["z"] * 3, "card": ("0815", "blue")},
]
ROWS = [{**row, "card": dict(zip(("number", "kind"), row["card"], strict=True))} for row in ROWS] * 2
DECRYPT = {"encrypt": {"secret": SECRET}}
GONE = Answer(404, b'{"error_code": 40470, "message": "Key not found"}')


class Keys:
    """Answers about keys as a registry that keeps them; `missing` are versions that it does not have."""

    def __init__(self):
        self.missing = set()
        self.kek = {}
        self.shared = False

    def __call__(self, path):
        parts = urlsplit(path)
        if not parts.path.startswith("/dek-registry/"):
            return None
        _, _, _, _, _, *rest = parts.path.split("/")
        if not rest:
            return Answer(200, json.dumps({**CASES[NOT_ROTATED]["keks"]["kek"], **self.kek}).encode())
        _, subject, _, version = rest
        for key in CASES[subject.removesuffix("-value")]["deks"]:
            asked = int(version), parse_qs(parts.query)["algorithm"][0]
            if (key["version"], key["algorithm"]) == asked and key["version"] not in self.missing:
                plain = {"keyMaterial": CASES[subject.removesuffix("-value")]["plain"]} if self.shared else {}
                return Answer(200, json.dumps({**key, **plain}).encode())
        return GONE


@pytest.fixture(scope="module")
def kafka():
    with MockKafka(topics=[*TOPICS, "odd"]) as kafka:
        for topic, case in CASES.items():
            request = urllib.request.Request(
                f"{kafka.registry_url}/subjects/{case['subject']}/versions", json.dumps(case["registered"]).encode()
            )
            with urllib.request.urlopen(request) as answer:
                case["framing"] = b"\0" + json.load(answer)["id"].to_bytes(4, "big")
            kafka.produce_raw(topic, [case["framing"] + base64.b64decode(body) for body in case["bodies"]])
        yield kafka


@pytest.fixture
def registry(kafka):
    registry = FaultyRegistry(kafka.registry_url)
    registry.fault = Keys()
    yield registry
    registry.close()


@pytest.fixture
def listen(kafka, registry, request):
    groups = itertools.count()

    def listen(topic, **options):
        group, config = f"{request.node.name} {next(groups)}", {"auto.offset.reset": "earliest"}
        options = {"metadata": (), "rules": DECRYPT, **options}
        return pykafarr.listener(kafka.servers, group, topic, registry.url, config=config, **options)

    return listen


def read(p, count=6):
    """Rows, in as many polls as they take."""
    rows = []
    while len(rows) < count and (batch := p.poll_batch(count - len(rows), 15_000)) is not None:
        rows += batch.to_arrow().to_pylist()
    return rows


@pytest.mark.parametrize("topic", TOPICS)
def test_what_confluents_serializer_has_encrypted_is_read(listen, registry, topic):
    with listen(topic) as p:
        assert read(p) == ROWS
        assert p.stats()["rules_not_run"] == 0
    asked = [path for path in registry.requests if "/deks/" in path]
    assert len(asked) == len(CASES[topic]["deks"])


def test_columns_and_reader_schemas_read_a_part_of_it(listen):
    with listen(NOT_ROTATED, columns=["email", "card.number"]) as p:
        assert read(p) == [{"email": row["email"], "card": {"number": row["card"]["number"]}} for row in ROWS]
    swapped = {
        "type": "record",
        "name": "com.example.Customer",
        "fields": [{"name": "photo", "type": ["null", "bytes"]}, {"name": "ssn", "type": "bytes"}],
    }
    with listen(ROTATED, reader_schema=swapped) as p:
        assert read(p) == [{"photo": row["photo"], "ssn": row["ssn"].encode()} for row in ROWS]


def test_a_scan_and_its_tasks_read_it(kafka, registry):
    plan = pykafarr.scan(kafka.servers, ROTATED, registry.url, metadata=(), rules=DECRYPT)
    with plan.read() as stream:
        assert stream.to_arrow("com.example.Customer").to_pylist() == ROWS
    tasks = pickle.loads(pickle.dumps(plan.tasks(max_rows=4)))
    assert [row for task in tasks for row in task.read().to_arrow("com.example.Customer").to_pylist()] == ROWS
    assert plan.schema.equals(tasks[0].read().to_arrow("com.example.Customer").schema)


def test_a_wrong_secret_is_an_error_of_every_poll_and_no_message_is_passed(listen):
    with listen(NOT_ROTATED, rules={"encrypt": {"secret": "another"}}, errors="skip") as p:
        for _ in range(2):
            with pytest.raises(
                pykafarr.ConfigError, match=r'rule "hidePII": the AES256_GCM key of subject .* another one'
            ):
                p.poll_batch(6, 5000)
        assert p.stats()["skipped"] == 0


def test_a_key_of_another_kms_is_named(listen, registry):
    registry.fault.kek = {"kmsType": "aws-kms"}
    with listen(NOT_ROTATED) as p, pytest.raises(pykafarr.ConfigError, match="its KMS is of type aws-kms"):
        p.poll_batch(6, 5000)


def test_a_key_that_the_registry_decrypts_itself_needs_no_secret(listen, registry):
    registry.fault.kek, registry.fault.shared = {"kmsType": "aws-kms", "shared": True}, True
    with listen(NOT_ROTATED, rules={"encrypt": {}}) as p:
        assert read(p) == ROWS


def test_without_a_secret_a_key_that_needs_one_is_refused(listen):
    with listen(NOT_ROTATED, rules={"encrypt": {}}) as p, pytest.raises(pykafarr.ConfigError, match="needs the secret"):
        p.poll_batch(6, 5000)


def test_a_key_that_comes_late_is_waited_for_and_no_row_is_lost(listen, registry):
    registry.fault.missing = {2}
    with listen(ROTATED, errors="skip", schema_patience=60_000) as p:
        assert read(p, 3) == ROWS[:3]
        with pytest.raises(pykafarr.SchemaNotFoundError, match=r"AES256_GCM key of subject \S+, version 2"):
            p.poll_batch(3, 200)
        registry.fault.missing = set()
        assert read(p, 3) == ROWS[3:]
        assert p.stats()["skipped"] == 0


def test_a_key_that_does_not_exist_costs_the_rows_that_need_it(listen, registry):
    registry.fault.missing = {1}
    with listen(ROTATED, errors="skip", schema_patience=0) as p:
        assert read(p, 3) == ROWS[3:]
        assert p.stats()["skipped"] == 3


def test_an_outage_of_the_registry_is_waited_for(listen, registry):
    keys, registry.fault = registry.fault, lambda path: Answer(503) if "/dek-registry/" in path else None
    with listen(NOT_ROTATED, errors="skip") as p:
        with pytest.raises(pykafarr.RegistryError, match="503"):
            p.poll_batch(6, 200)
        registry.fault = keys
        assert read(p) == ROWS


def test_a_value_that_was_not_encrypted_is_the_error_of_its_row(kafka, listen):
    case = CASES[NOT_ROTATED]
    kafka.create_topic("odd-one")
    body = base64.b64decode(case["bodies"][0])
    plain = b"\2\6abc\0\0\0\0\2x"
    changed = bytearray(body)
    changed[20] ^= 1  # within the base64 of ssn
    kafka.produce_raw("odd-one", [case["framing"] + value for value in (body, plain, bytes(changed), body)])
    with listen("odd-one", errors="collect", columns=["ssn"]) as p:
        rows, messages = [], []
        while len(rows) + len(messages) < 4:
            batch = p.poll_batch(4, 500)
            rows += batch.to_arrow().to_pylist()
            messages += [] if batch.rejected is None else batch.rejected.to_pandas()["message"].tolist()
    assert rows == [{"ssn": "123-45"}] * 2
    assert len(messages) == 2
    assert all("ssn: the value cannot be decrypted" in message for message in messages)


def test_the_rule_of_one_topic_waits_for_nothing_of_another(kafka, registry, listen):
    kafka.produce("plain", {"type": "record", "name": "P", "fields": [{"name": "n", "type": "int"}]}, [{"n": 1}])
    registry.fault.missing = {1}
    with listen([NOT_ROTATED, "plain"]) as p:
        seen = []
        while not seen:
            with contextlib.suppress(pykafarr.SchemaNotFoundError):
                seen = read(p, 1)
        assert seen == [{"n": 1}]


def test_mixed_types_are_refused_when_it_opens(listen):
    with pytest.raises(pykafarr.ConfigError, match="mixed is group"):
        listen(NOT_ROTATED, mixed="group")


@pytest.mark.parametrize(
    ("rules", "kind"),
    [
        ({}, pykafarr.ConfigError),
        ({"decrypt": {}}, pykafarr.ConfigError),
        ({"encrypt": SECRET}, TypeError),
        ({"encrypt": {"secrets": SECRET}}, pykafarr.ConfigError),
        ({"encrypt": {"secret": 5}}, TypeError),
        ({"encrypt": {"secret": ""}}, pykafarr.ConfigError),
        ({"encrypt": {"secret": pykafarr.from_env("NO_SUCH_VARIABLE")}}, pykafarr.ConfigError),
    ],
)
def test_what_is_wrong_with_the_option_is_said_without_the_secret(listen, rules, kind):
    with pytest.raises(kind) as caught:
        listen(NOT_ROTATED, rules=rules)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    mine = [text for text in shown.format() if "test_decryption.py" not in text]
    assert SECRET not in "".join(mine)


def test_the_secret_may_lie_elsewhere_and_is_not_shown(kafka, registry, listen, monkeypatch):
    monkeypatch.setenv("LOCAL_SECRET", SECRET)
    with listen(NOT_ROTATED, rules={"encrypt": {"secret": pykafarr.from_env("LOCAL_SECRET")}}) as p:
        assert read(p) == ROWS
    text = '{"encrypt": {"secret": {"from_env": "LOCAL_SECRET"}}}'
    options, _ = spark_options.parsed({"servers": "k", "topics": "t", "rules": text})
    assert repr(options["rules"]) == "{'encrypt': {'secret': pykafarr.from_env('LOCAL_SECRET')}}"
    plan = pykafarr.scan(kafka.servers, NOT_ROTATED, registry.url, rules=options["rules"])
    assert SECRET.encode() not in pickle.dumps(plan)
    assert SECRET not in repr(plan)


def test_the_command_line_reads_it(kafka, registry, monkeypatch, capsys):
    monkeypatch.setenv("LOCAL_SECRET", SECRET)
    command = ["read", "--servers", kafka.servers, "--registry", registry.url, "--topics", NOT_ROTATED, "--metadata"]
    assert cli.main([*command, "--start", "earliest", "--format", "json", "--rules-secret-env", "LOCAL_SECRET"]) == 0
    assert [json.loads(line)["ssn"] for line in capsys.readouterr().out.splitlines()] == [row["ssn"] for row in ROWS]


def test_a_secret_in_the_place_of_rules_is_not_shown():
    with pytest.raises(pykafarr.ConfigError, match="rules must be") as caught:
        pykafarr.listener("k:1", "g", "t", "http://r", rules=SECRET)
    assert SECRET not in str(caught.value)
