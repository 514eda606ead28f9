"""A registry that is down, slow, or answers wrongly: what is asked again, what is told at once, what flows on."""

import contextlib
import itertools
import time

import pytest

import pykafarr
from tests.integration.writing import A, B, numbers
from tests.servers import ports
from tests.servers.faulty_registry import Answer, FaultyRegistry

UNKNOWN_ID = 2_000_000_001


@pytest.fixture
def registry(cluster):
    with contextlib.closing(FaultyRegistry(cluster.registry_url)) as made:
        yield made


def times(count, answer):
    """The first so many requests get this answer, later ones the real registry's."""
    left = iter(range(count))
    return lambda _path: answer if next(left, None) is not None else None


PASSING = {
    "500": Answer(500, b'{"error_code": 50001, "message": "database"}'),
    "503": Answer(503),
    "429": Answer(429, b'{"error_code": 429, "message": "slow down"}'),
    "HTML": Answer(200, b"<html>maintenance</html>", "text/html"),
    "404 in HTML": Answer(404, b"<html>no such page</html>", "text/html"),
    "cut off": Answer(200, b'{"schema": "{', cut=True),
    "half an answer": Answer(200, b'{"schema": "{'),
}


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING)
def test_what_passes_is_asked_again_and_is_no_bad_message(answer, registry, writer, topic, listen):
    writer.write(topic, A, numbers(0, 3))
    registry.fault = times(2, answer)
    listener = listen(registry_url=registry.url, errors="skip", registry_config={"max.retries": 0})

    assert list(listener.poll(3, 10_000)[1]["n"]) == [0, 1, 2]
    assert len(registry.requests) >= 3
    assert listener.stats()["skipped"] == 0


def test_attempts_are_farther_and_farther_apart(registry, writer, topic, listen):
    writer.write(topic, A, numbers(0, 1))
    asked = []

    def fault(_path):
        asked.append(time.monotonic())
        return Answer(500)

    registry.fault = fault
    listener = listen(registry_url=registry.url, registry_config={"max.retries": 0})
    with pytest.raises(pykafarr.RegistryError, match="500"):
        listener.poll(1, 3000)

    pauses = [after - before for before, after in itertools.pairwise(asked)]
    assert 3 <= len(pauses) <= 8
    assert pauses[-1] > pauses[0]


def test_a_silent_registry_is_given_up_and_asked_again(registry, writer, topic, listen):
    writer.write(topic, A, numbers(0, 3))
    registry.fault = times(1, Answer(200, delay=2))
    listener = listen(registry_url=registry.url, registry_config={"max.retries": 0, "request.timeout.ms": 300})

    assert list(listener.poll(3, 10_000)[1]["n"]) == [0, 1, 2]


REFUSALS = {
    "401": (Answer(401, b'{"error_code": 401, "message": "who are you?"}'), pykafarr.RegistryError),
    "403": (Answer(403, b'{"error_code": 403, "message": "not for you"}'), pykafarr.RegistryError),
}


@pytest.mark.parametrize(("answer", "kind"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_told_at_once_and_named(answer, kind, registry, writer, topic, listen):
    writer.write(topic, A, numbers(0, 3))
    registry.fault = lambda _path: answer
    listener = listen(registry_url=registry.url)

    begun = time.monotonic()
    with pytest.raises(kind, match=rf"{topic}\[0\]@0: .*{answer.status}"):
        listener.poll(3, 60_000)
    assert time.monotonic() - begun < 30
    assert len(registry.requests) == 1


def test_an_id_that_the_registry_does_not_know_yet_passes_no_row(registry, writer, topic, listen):
    writer.write(topic, A, numbers(0, 3))
    registry.fault = lambda _path: Answer(404, b'{"error_code": 40403, "message": "Schema not found"}')
    listener = listen(registry_url=registry.url, errors="skip")

    for _ in range(2):
        with pytest.raises(pykafarr.SchemaNotFoundError, match=rf"{topic}\[0\]@0: .*404"):
            listener.poll(3, 1000)
    registry.fault = lambda _path: None
    assert list(listener.poll(3, 30_000)[1]["n"]) == [0, 1, 2]
    assert listener.stats()["skipped"] == 0


def test_known_schemas_need_no_registry(registry, writer, topic, listen):
    writer.write(topic, A, numbers(0, 3))
    listener = listen(registry_url=registry.url)
    assert list(listener.poll(3, 5000)[1]["n"]) == [0, 1, 2]
    registry.close()

    writer.write(topic, A, numbers(3, 50_000))

    rows = []
    while len(rows) < 50_000:
        _, frame = listener.poll(50_000, 5000)
        assert len(frame)
        rows.extend(frame["n"])
    assert rows == list(range(3, 50_003))


@pytest.mark.parametrize("errors", ["skip", "collect"])
def test_a_thousand_messages_of_an_unknown_id_make_few_requests_and_wait_for_the_patience_once(
    errors, registry, cluster, writer, topic, listen
):
    other = cluster.new_topic()
    writer.write_values(topic, [b"\0" + UNKNOWN_ID.to_bytes(4, "big") + b"\x02"] * 1000)
    writer.write(topic, A, numbers(0, 3))
    writer.write(other, A, numbers(3, 3))
    listener = listen([topic, other], registry_url=registry.url, errors=errors, schema_patience=1000)

    rows = []
    while len(rows) < 6:
        rows += listener.poll_batch(6, 5000).to_arrow().to_pydict().get("n", [])

    assert sorted(rows) == list(range(6))
    assert sum(str(UNKNOWN_ID) in path for path in registry.requests) <= 3
    assert listener.stats()["skipped" if errors == "skip" else "rejected"] == 1000


def test_a_schema_whose_references_form_a_circle_blocks_nothing(registry, writer, topic, listen):
    writer.write(topic, B, [{"text": "a"}])
    writer.write(topic, A, numbers(0, 3))
    bad = int.from_bytes(writer.serialize(topic, B, {"text": ""})[1:5], "big")
    circle = b'{"schema": "\\"string\\"", "references": [{"name": "x", "subject": "x", "version": 1}]}'
    registry.fault = lambda path: Answer(200, circle) if f"ids/{bad}" in path or "subjects/x" in path else None

    with pytest.raises(pykafarr.RegistryError, match="circle"):
        listen(registry_url=registry.url).poll(3, 5000)
    listener = listen(registry_url=registry.url, group=topic, errors="skip", schema_patience=0)
    assert list(listener.poll(3, 5000)[1]["n"]) == [0, 1, 2]
    assert listener.stats()["skipped"] == 1


def test_a_registry_that_is_not_there_is_named_and_the_rows_wait_for_it(registry, writer, topic, listen):
    writer.write(topic, A, numbers(0, 3))
    nobody = f"http://{ports.HOST}:{ports.free(1)[0]}"
    listener = listen(registry_url=nobody, errors="skip")

    with pytest.raises(pykafarr.RegistryError, match=nobody):
        listener.poll(3, 1000)
    assert listener.stats()["skipped"] == 0
