"""A message that cannot be decoded: it is named, it costs its own row only, and nothing around it is lost."""

import contextlib
import select
import socket
import socketserver
import threading
import time

import pytest

import pykafarr
from tests.integration.writing import A, B, numbers
from tests.servers import ports

UNKNOWN_ID = 2_000_000_001


def texts(*values):
    return [{"text": value} for value in values]


@pytest.fixture
def write_with_a_bad_one(writer, topic):
    """Writes two rows of B, the bad value, and two more rows."""

    def write(bad, **message):
        writer.write(topic, B, texts("a", "b"))
        writer.write_values(topic, [bad], **message)
        writer.write(topic, B, texts("c", "d"))

    return write


@pytest.fixture
def damaged(writer, topic):
    """A value of B with another body; the length of a string is its first byte, doubled."""

    def make(body):
        return writer.serialize(topic, B, {"text": ""})[:5] + body

    return make


NOT_UTF8 = b"\x08\xffabc"
TRUNCATED = b"\x0aab"
BODIES = {
    "truncated": TRUNCATED,
    "invalid UTF-8": NOT_UTF8,
    "empty": b"",
    "negative length": b"\x01",
    "endless": b"\xff" * 11,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_damaged_body_costs_its_own_row_only(body, damaged, write_with_a_bad_one, topic, listen):
    bad = damaged(body)
    write_with_a_bad_one(bad)
    listener = listen()

    assert list(listener.poll(100, 2000)[1]["text"]) == ["a", "b"]
    with pytest.raises(pykafarr.DecodeError) as caught:
        listener.poll(100, 500)
    assert list(listener.poll(100, 500)[1]["text"]) == ["c", "d"]

    error = caught.value
    schema_id = int.from_bytes(bad[1:5], "big")
    assert (error.topic, error.partition, error.offset, error.schema_id, error.path) == (topic, 0, 2, schema_id, "text")
    assert str(error).startswith(f"{topic}[0]@2: schema {schema_id}: text: ")


@pytest.mark.parametrize("value", [b"hello", b"\x01" + b"\0" * 9, b"", b"\0\0\0"])
def test_a_message_without_the_framing_is_named_and_the_next_poll_goes_on(value, write_with_a_bad_one, topic, listen):
    write_with_a_bad_one(value)
    listener = listen()

    assert list(listener.poll(100, 2000)[1]["text"]) == ["a", "b"]
    with pytest.raises(pykafarr.FramingError) as caught:
        listener.poll(100, 500)
    assert list(listener.poll(100, 500)[1]["text"]) == ["c", "d"]
    assert str(caught.value).startswith(f"{topic}[0]@2: ")
    assert caught.value.schema_id is None


def test_bytes_behind_the_last_field_are_not_ignored(damaged, write_with_a_bad_one, listen):
    write_with_a_bad_one(damaged(b"\x02x" + b"rest"))
    listener = listen()

    listener.poll(2, 5000)
    with pytest.raises(pykafarr.DecodeError):
        listener.poll(100, 500)


def test_skip_leaves_bad_messages_out_and_counts_them(damaged, write_with_a_bad_one, listen):
    write_with_a_bad_one(damaged(TRUNCATED))
    write_with_a_bad_one(b"no framing")
    listener = listen(errors="skip")

    _, frame = listener.poll(8, 5000)

    assert list(frame["text"]) == ["a", "b", "c", "d"] * 2
    assert list(frame["_offset"]) == [0, 1, 3, 4, 5, 6, 8, 9]
    assert listener.stats()["skipped"] == 2


def test_collect_puts_bad_messages_beside_the_good_ones(damaged, write_with_a_bad_one, topic, listen, committed):
    bad = damaged(NOT_UTF8)
    write_with_a_bad_one(bad, key=b"k")
    listener = listen(errors="collect")

    batch = listener.poll_batch(4, 5000)

    assert batch.to_arrow().column("text").to_pylist() == ["a", "b", "c", "d"]
    (rejected,) = batch.rejected.to_pylist()
    assert (rejected["topic"], rejected["partition"], rejected["offset"]) == (topic, 0, 2)
    assert (rejected["key"], rejected["value"]) == (b"k", bad)
    assert rejected["error"] == "DecodeError"
    assert f"{topic}[0]@2" in rejected["message"]
    assert listener.stats()["rejected"] == 1
    listener.commit(batch)
    assert committed() == 5


def test_a_topic_of_bad_messages_alone_gives_batches_of_rejected_rows(writer, topic, listen):
    writer.write_values(topic, [b"bad", b"worse"])
    listener = listen(errors="collect")

    batch = listener.poll_batch(10, 500)

    assert batch.num_rows == 0
    assert batch.rejected.column("value").to_pylist() == [b"bad", b"worse"]
    assert listener.poll_batch(10, 200) is None


def test_a_bad_message_is_not_delivered_again_once_its_error_was_told(damaged, write_with_a_bad_one, listen, committed):
    write_with_a_bad_one(damaged(TRUNCATED))
    with listen() as listener:
        listener.poll(100, 2000)
        with pytest.raises(pykafarr.DecodeError):
            listener.poll(100, 500)
    assert committed() == 3

    assert list(listen().poll(100, 500)[1]["text"]) == ["c", "d"]


def test_an_unknown_schema_id_is_named_and_the_row_is_tried_again(write_with_a_bad_one, topic, listen, committed):
    write_with_a_bad_one(b"\0" + UNKNOWN_ID.to_bytes(4, "big") + b"\x02a")
    listener = listen()

    assert list(listener.poll(100, 5000)[1]["text"]) == ["a", "b"]
    for _ in range(2):
        with pytest.raises(pykafarr.SchemaNotFoundError) as caught:
            listener.poll(100, 500)
        assert caught.value.schema_id == UNKNOWN_ID
        assert str(caught.value).startswith(f"{topic}[0]@2: schema {UNKNOWN_ID}: ")
    listener.close()
    assert committed() == 2


def test_an_unknown_schema_id_can_be_skipped(write_with_a_bad_one, listen):
    write_with_a_bad_one(b"\0" + UNKNOWN_ID.to_bytes(4, "big") + b"\x02a")

    assert list(listen(errors="skip", schema_patience=500).poll(4, 10_000)[1]["text"]) == ["a", "b", "c", "d"]


def test_a_dead_registry_is_an_error_at_the_end_of_max_time_and_loses_nothing(cluster, writer, topic, listen):
    writer.write(topic, A, numbers(0, 3))
    port = ports.free(1)[0]
    listener = listen(registry_url=f"http://{ports.HOST}:{port}/apis/ccompat/v7")
    for _ in range(2):
        begun = time.monotonic()
        with pytest.raises(pykafarr.RegistryError, match=rf"{topic}\[0\]@0: .*"):
            listener.poll(3, 300)
        assert time.monotonic() - begun >= 0.25

    with forwarding(port, cluster.registry_url.split("/")[2]):  # the registry is back
        assert list(listener.poll(3, 10_000)[1]["n"]) == [0, 1, 2]


@contextlib.contextmanager
def forwarding(port, address):
    """Passes connections to a port on to another address."""
    host, _, target = address.partition(":")

    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.create_connection((host, int(target))) as other:
                ends = {self.request: other, other: self.request}
                while not over.is_set():  # the client keeps an idle connection open
                    for source in select.select(list(ends), [], [], 0.05)[0]:
                        data = source.recv(65536)
                        if not data:
                            return
                        ends[source].sendall(data)

    with socketserver.ThreadingTCPServer((ports.HOST, port), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield
        finally:
            over.set()
            server.shutdown()
            serving.join()
