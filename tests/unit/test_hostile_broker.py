"""A hostile broker: whatever it answers, a scan raises an error or has all rows, soon, and in little memory.

What each mode is about, and where else it is tested:

| | here | in Go (kafarr/source/fetch) |
|---|---|---|
| length, number and pace of an answer | `FRAMES` | |
| answers that are too large, or claim too much | `SIZES` | incoming_test.go |
| topics, partitions, leaders | `METADATA` | metadata_test.go, incoming_test.go |
| offsets | `OFFSETS` | metadata_test.go, ends_test.go, incoming_test.go |
| record batches and records | `BATCHES` | batch_test.go, fetch_test.go, FuzzRecordBatch, FuzzAnswer |
| replicas, throttling | `PLACES` | fetch_test.go, incoming_test.go |

Connections that break, stall or bring random bytes: test_scan_faults.py and test_listener_faults.py. Listeners are left
out here, but for checksums: librdkafka reads for them, and some nonsense in ApiVersions, Metadata and OffsetFetch ends
the process (docs/threat-model.md).
"""

from __future__ import annotations

import contextlib
import gzip
import struct
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

import pykafarr
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books
from tests.memory import MIB, peak, reset_peak
from tests.servers.faulty_broker import FaultyBroker
from tests.servers.hostile_broker import Frame, HostileBroker, batch, crc32c, record

if TYPE_CHECKING:
    from collections.abc import Callable

# How an answer of one kind is made, from which of its kind on; and what is said of it, or None: all rows come.
Mode = tuple[str, int, "Callable[[HostileBroker], bytes | Frame]", "str | None"]

LOWEST, HIGHEST = -(2**63), 2**63 - 1
MANY = 2**31 - 1

FRAMES: dict[str, Mode] = {
    "a length of 2 GB": ("Fetch", 0, lambda _: Frame(struct.pack(">i", MANY) + bytes(100)), "2147483647"),
    "a length below zero": ("Metadata", 0, lambda _: Frame(struct.pack(">i", -5) + bytes(100)), "-5"),
    "a length of nothing": ("Metadata", 0, lambda _: Frame(bytes(4)), "."),
    "a length of nothing, for ever": ("ListOffsets", 0, lambda _: Frame(bytes(4 * 1024), endless=True), "."),
    "the number of another request": (
        "ListOffsets",
        0,
        lambda _: Frame(struct.pack(">ii", 100, 12345) + bytes(96)),
        ".",
    ),
    "one byte at a time": ("Fetch", 0, lambda _: Frame(struct.pack(">ii", 100, 0) + bytes(96), pause=0.1), "."),
    "one byte of metadata at a time": (
        "Metadata",
        0,
        lambda _: Frame(struct.pack(">ii", 100, 0) + bytes(96), pause=0.1),
        ".",
    ),
    "zeros without end": ("Fetch", 0, lambda _: Frame(bytes(65536), endless=True), "."),
    "bytes after the answer": ("Fetch", 0, lambda broker: broker.fetch(broker.log) + bytes(1000), None),
    "another answer after the answer": ("Metadata", 0, lambda broker: broker.metadata() + broker.metadata(), None),
}

SIZES: dict[str, Mode] = {
    "90 MB of topics": (
        "Metadata",
        0,
        lambda _: bytes(8) + bytes(6) + struct.pack(">i", 10_000_000) + bytes(90 * 10**6),
        r"its answer to Metadata .* at most 16777216 are read",
    ),
    "a billion topics": (
        "Metadata",
        0,
        lambda _: bytes(4 + 4 + 2 + 4) + struct.pack(">i", 10**9) + bytes(MIB),
        "claims more than it holds",
    ),
    "a million topics of no bytes": (
        "Metadata",
        0,
        lambda _: bytes(4 + 4 + 2 + 4) + struct.pack(">i", MIB) + bytes(MIB),
        "claims more than it holds",
    ),
    "topics with offsets": (
        "ListOffsets",
        0,
        lambda _: bytes(4) + struct.pack(">i", MIB) + bytes(MIB),
        "claims more than it holds",
    ),
    "partitions of a fetch": (
        "Fetch",
        0,
        lambda broker: broker.fetch(b"")[:17] + struct.pack(">i", 50 * MIB) + bytes(60 * MIB),
        "where 1 was asked for",
    ),
    "aborted transactions": (
        "Fetch",
        0,
        lambda broker: broker.fetch(b"", aborted=struct.pack(">i", 50 * MIB) + bytes(60 * MIB)),
        "claims more than it holds",
    ),
    "records of 2 GB": ("Fetch", 0, lambda broker: broker.fetch(b"", length=MANY), "claims more than it holds"),
    "versions of a million requests": (
        "ApiVersions",
        0,
        lambda _: bytes(2) + struct.pack(">i", MIB) + bytes(6 * MIB),
        "at most 1048576 are read",
    ),
}

METADATA: dict[str, Mode] = {
    "a topic without a name": ("Metadata", 0, lambda broker: broker.metadata(name=b""), "does not name"),
    "a name of control characters": (
        "Metadata",
        0,
        lambda broker: broker.metadata(name=b"T\x1b]52;\x07\n\xff"),
        "does not name",
    ),
    "no partitions": ("Metadata", 0, lambda broker: broker.metadata(partitions=[]), "T"),
    "partition -1": ("Metadata", 0, lambda broker: broker.metadata(partitions=[(-1, 0), (0, 0)]), "T"),
    "partition 2147483647": ("Metadata", 0, lambda broker: broker.metadata(partitions=[(MANY, 0)]), "T"),
    "a partition twice, of two leaders": (
        "Metadata",
        0,
        lambda broker: broker.metadata(partitions=[(0, 9), (0, 0)]),
        None,
    ),
    "leader 2147483647": ("Metadata", 0, lambda broker: broker.metadata(partitions=[(0, MANY)]), "."),
    "leader -2147483648": ("Metadata", 0, lambda broker: broker.metadata(partitions=[(0, -(2**31))]), "."),
    "nobody leads": ("Metadata", 0, lambda broker: broker.metadata(partitions=[(0, -1)]), "."),
    "no brokers": ("Metadata", 0, lambda broker: broker.metadata(nodes=[]), "."),
    "brokers of negative numbers": (
        "Metadata",
        0,
        lambda broker: broker.metadata(nodes=[-1, -(2**31)], partitions=[(0, -(2**31))]),
        ".",
    ),
    "an error of no meaning": ("Metadata", 0, lambda broker: broker.metadata(error=12345), "T"),
    "no partitions any more": ("Metadata", 1, lambda broker: broker.metadata(partitions=[]), "T"),
}

OFFSETS: dict[str, Mode] = {
    "-1": ("ListOffsets", 0, lambda broker: broker.offsets(-1), "offset -1 for the (beginning|end) of the log"),
    "the lowest": ("ListOffsets", 0, lambda broker: broker.offsets(LOWEST), "of the log"),
    "the highest as the end": ("ListOffsets", 1, lambda broker: broker.offsets(HIGHEST), "."),
    "of another partition": ("ListOffsets", 0, lambda broker: broker.offsets(10, partition=7), "does not name"),
    "a high watermark of -1": ("Fetch", 0, lambda broker: broker.fetch(b"", high=-1), "."),
    "a high watermark below zero": ("Fetch", 0, lambda broker: broker.fetch(b"", high=LOWEST), "."),
    "a stable offset below zero": ("Fetch", 0, lambda broker: broker.fetch(b"", stable=LOWEST, high=0), "."),
}

BATCHES: dict[str, Mode] = {
    name: ("Fetch", 0, lambda broker, made=made: broker.fetch(made), words)
    for name, made, words in [
        ("no records, and a body", batch(0, [], body=record(0, b"0"), count=0, last_delta=9), "claims no records"),
        (
            "no records, compressed, and a body",
            batch(0, [], body=gzip.compress(record(0, b"0")), count=0, last_delta=9, attributes=1),
            "claims no records",
        ),
        ("more records than offsets", batch(0, [b"0"], count=MANY, last_delta=0), "claims 2147483647 records"),
        ("more records than bytes", batch(0, [b"0"], count=MANY, last_delta=MANY), "."),
        ("fewer records than bytes", batch(0, [b"0", b"1"], count=1, last_delta=9), "bytes are left"),
        ("records below zero", batch(0, [b"0"], count=-1, last_delta=9), "claims -1 records"),
        ("a last offset below the first", batch(0, [b"0"], last_delta=-5), "-5"),
        ("a first offset below zero", batch(-10, [b"0"], last_delta=19), "-10"),
        ("a first offset near the highest", batch(HIGHEST, [b"0"], last_delta=MANY), "."),
        ("a length below zero", batch(0, [b"0"], length=-1), "less than its header"),
        ("a length less than a header", batch(0, [b"0"], length=20), "less than its header"),
        ("a wrong checksum", batch(0, [b"0"], checksum=1), "checksum"),
        ("an unknown compression", batch(0, [b"0"], attributes=7), "unknown compression 7"),
        ("what is not compressed", batch(0, [b"0"], attributes=4), "not what zstd makes"),
        (
            "half of what is compressed",
            batch(0, [], body=gzip.compress(bytes(1000))[:20], count=1, attributes=1),
            "not what gzip makes",
        ),
        (
            "a bomb",
            batch(0, [], body=300 * gzip.compress(bytes(MIB)), count=1, attributes=1),
            "more than the .* bytes that are allowed",
        ),
        (
            "a record beyond its batch",
            batch(0, [], body=record(0, b"0", length=1000), count=1),
            "extends past the end of its record batch",
        ),
        (
            "a record of a length below zero",
            batch(0, [], body=record(0, b"0", length=-9), count=1),
            "extends past the end of its record batch",
        ),
        (
            "a value beyond its record",
            batch(0, [], body=record(0, b"0", value_length=1000), count=1),
            "extends past the end of its record batch",
        ),
        ("a value of a length below -1", batch(0, [], body=record(0, b"0", value_length=-7), count=1), "below -1"),
        ("a billion headers", batch(0, [], body=record(0, b"0", headers=10**9), count=1), "more headers"),
        ("headers below zero", batch(0, [], body=record(0, b"0", headers=-1), count=1), "more headers"),
        ("a number of too many bytes", batch(0, [], body=b"\xff" * 30, count=1), "32 or 64 bits"),
        (
            "two records at one offset",
            batch(0, [], body=record(0, b"0") + record(0, b"1"), count=2),
            "not after the previous one",
        ),
        ("a record outside its batch", batch(0, [], body=record(5, b"0"), count=1), "outside its record batch"),
    ]
}

PLACES: dict[str, Mode] = {
    "a replica that does not exist": ("Fetch", 0, lambda broker: broker.fetch(b"", replica=MANY), "."),
    "itself as the replica": ("Fetch", 0, lambda broker: broker.fetch(broker.log, replica=0), None),
    "replica -2": ("Fetch", 0, lambda broker: broker.fetch(broker.log, replica=-(2**31)), None),
    "a wait of 24 days before a fetch": ("Fetch", 0, lambda broker: broker.fetch(b"", throttle=MANY), "throttle"),
    "a wait of 24 days before metadata": ("Metadata", 0, lambda broker: broker.metadata(error=5, throttle=MANY), "."),
    "a wait of 24 days before offsets": (
        "ListOffsets",
        0,
        lambda broker: broker.offsets(0, error=6, throttle=MANY),
        ".",
    ),
    "a wait below zero": ("Fetch", 0, lambda broker: broker.fetch(broker.log, throttle=-(2**31)), None),
}

MODES = {
    f"{kind}: {name}": mode
    for kind, modes in {
        "frame": FRAMES,
        "size": SIZES,
        "metadata": METADATA,
        "offset": OFFSETS,
        "batch": BATCHES,
        "place": PLACES,
    }.items()
    for name, mode in modes.items()
}


ALL = [b"%d" % number for number in range(10)]


def rows(broker: HostileBroker, timeout: int) -> list[bytes]:
    """What a scan reads."""
    config = {"fetch.wait.max.ms": 10, "client.rack": "r"}
    with pykafarr.read(broker.servers, "T", None, value="bytes", config=config, timeout=timeout) as stream:
        return [value for batch in stream for value in pa.table(batch)["value"].to_pylist()]


@pytest.fixture
def broker():
    with contextlib.closing(HostileBroker()) as made:
        yield made


def spoil(broker: HostileBroker, mode: Mode) -> None:
    step, from_, made, _ = mode
    broker.answer = lambda name, before: made(broker) if name == step and before >= from_ else None


def test_its_usual_answers_bring_all_rows(broker):
    assert rows(broker, 10_000) == ALL


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_hostile_broker_costs_an_error_and_no_more(broker, mode):
    spoil(broker, mode)
    reset_peak()
    before, begun = peak(), time.monotonic()
    with contextlib.ExitStack() as failing:
        if mode[3] is not None:
            # Where the machine is slow, the time is over first.
            known = f"{mode[3]}|does not answer|deadline|timeout"
            failing.enter_context(pytest.raises(pykafarr.KafarrError, match=known))
        assert rows(broker, 20_000 if mode[3] is None else 300) == ALL
    assert time.monotonic() - begun < 20
    assert peak() - before < 1024 * MIB


def damaged(answer: bytes, which: int = 0) -> bytes:
    """A Fetch's answer with a wrong checksum of one of its record batches, the first by default."""
    for at in range(len(answer) - 61):
        length = struct.unpack_from(">i", answer, at + 8)[0]
        whole = answer[at : at + 12 + length]
        if 49 <= length == len(whole) - 12 and struct.unpack_from(">I", whole, 17)[0] == crc32c(whole[21:]):
            which -= 1
            if which >= 0:
                continue
            return answer[: at + 17] + bytes(4) + answer[at + 21 :]
    return answer


@pytest.mark.parametrize("config", [{}, {"check.crcs": True}, {"check.crcs": False}])
def test_damaged_record_batches_are_refused_by_scans_and_listeners_unless_check_crcs_is_false(config):
    with MockKafka(topics={"T": 1}) as kafka, contextlib.closing(FaultyBroker(kafka.servers)) as proxy:
        kafka.produce("T", '"int"', list(range(10)))
        proxy.fault = lambda name, _before: damaged if name == "Fetch" else None
        with pytest.raises(pykafarr.BrokerError, match="checksum"):
            pykafarr.read(proxy.servers, "T", kafka.registry_url, timeout=10_000).to_arrow()
        config = {"auto.offset.reset": "earliest", **config}
        with pykafarr.listener(proxy.servers, "g", "T", kafka.registry_url, config=config) as p:
            if config.get("check.crcs", True):
                for _ in range(3):  # whenever it is asked, until the broker has the right bytes
                    with pytest.raises(pykafarr.BrokerError, match=r"T\[0\]@0: .* failed CRC32C check"):
                        p.poll(10, 10_000)
                proxy.fault = lambda _name, _before: None
            assert list(p.poll(10, 10_000)[1]["value"]) == list(range(10))


def test_a_listener_passes_over_no_record_batch_that_came_damaged():
    with MockKafka(topics={"T": 1}) as kafka, contextlib.closing(FaultyBroker(kafka.servers)) as proxy:
        for first in range(0, 40, 10):
            kafka.produce("T", '"int"', list(range(first, first + 10)))
        spoilt = []

        def second_of_three_answers(answer):
            found = damaged(answer, which=1) if len(spoilt) < 3 else answer
            if found != answer:
                spoilt.append(len(found))
            return found

        proxy.fault = lambda name, _before: second_of_three_answers if name == "Fetch" else None
        config = {"auto.offset.reset": "earliest"}
        with pykafarr.listener(proxy.servers, "g", "T", kafka.registry_url, config=config) as p:
            seen, errors = [], []
            while len(seen) < 40 and len(errors) < 10:
                try:
                    seen.extend(p.poll(100, 2000)[1].get("value", []))
                except pykafarr.BrokerError as error:  # noqa: PERF203 -- the next poll continues
                    errors.append(error)
            assert p.poll(100, 500)[1].empty
        assert seen == list(range(40))
        assert errors, spoilt
