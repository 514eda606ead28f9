"""Calls the whole Python API in random order with arguments of every sort: `python -m tests.process.calls SEED COUNT`.

Whatever is called, an exception of a documented kind is an answer; anything else ends the process with status 1, and a
crash by its own signal. With VERBOSE set it prints each call before it is made, so that the last one names the culprit.
"""

from __future__ import annotations

import datetime as dt
import gc
import os
import pickle
import random
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import pykafarr
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from collections.abc import Callable

# What an application has to expect of any call. KeyError and AttributeError would be slips of ours.
EXPECTED = (pykafarr.KafarrError, TypeError, StopIteration)

SCHEMAS: list[Any] = [
    {"type": "record", "name": "A", "fields": [{"name": "x", "type": "long"}]},
    {
        "type": "record", "name": "B",
        "fields": [{"name": "s", "type": ["null", "string"]}, {"name": "l", "type": {"type": "array", "items": "int"}}],
    },
    {"type": "record", "name": "R", "fields": [{"name": "r", "type": ["null", "R"]}]}, "null", '"long"', '"string"',
    "", "{", "[]", '["null", "null"]', '{"type": "fixed", "name": "F", "size": 2147483647}',
    '{"type": "fixed", "name": "F", "size": -1}', '{"type": "array", "items": ' * 300 + '"int"' + "}" * 300,
    {"type": "record", "name": "D", "fields": [{"name": f"f{n}", "type": "int"} for n in range(30_000)]},
    '{"type": "enum", "name": "E", "symbols": []}',
    '{"type": "bytes", "logicalType": "decimal", "precision": 2000000000}',
]  # fmt: skip

BODIES: list[Any] = [
    b"", b"\0", b"\x02", b"\xff" * 10, b"\xff" * 11, b"\x7f" * 40, b"\x01" * 3, b"\xfe\xff\xff\xff\x0f",
    b"\x02" * 100_000, bytearray(b"\x02"), memoryview(b"\x02"), None, "text", 5, b"\0\0\0\0\1\2",
    b"\0\xff\xff\xff\xff\2",
]  # fmt: skip

NAIVE = dt.datetime(2020, 1, 1)  # noqa: DTZ001  # a wrong value on purpose

# Values for any parameter: most are wrong for most.
HOSTILE: list[Any] = [
    None, True, False, 0, 1, -1, 7, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**40, 0.5, float("nan"),
    float("inf"), "", "t", "^t", "^(", "\0", "\ud800", "x" * 100_000, b"", b"t", [], ["t"], ["t", "t"], [None], {},
    {"t": 0}, {"t": [0]}, {("t", 0): "earliest"}, ("t", 0), [("t", 0)], [("t", -1)], [("t", 2**31)], "earliest",
    "latest", "committed", "offset", ("offset", "key"), {"offset": "x"}, dt.timedelta(0), dt.timedelta(days=10**8),
    dt.timedelta(milliseconds=3), dt.datetime(1, 1, 1, tzinfo=dt.timezone.utc), NAIVE, object(),
    int, print, pykafarr.Milliseconds(0), *SCHEMAS,
]  # fmt: skip

OPTIONS = [
    "start", "assign", "config", "registry_config", "metadata", "value", "key", "framing", "schema", "tombstones",
    "mixed", "acknowledge", "errors", "dead_letter_topic", "reader_schema", "columns", "unions", "recursion",
    "out_of_range", "rules", "limits", "memory_limit", "ready_timeout", "schema_patience", "dtype_backend",
]  # fmt: skip

SEND_OPTIONS = [
    "schema", "register", "subject", "framing", "key", "partition", "timestamp", "headers", "tombstone", "partitioner",
    "extra", "missing", "wait",
]  # fmt: skip

FRAMES: list[Any] = [
    pa.table({"x": [1, 2]}), pa.table({"x": [1, None]}), pa.table({"x": ["a"]}), pa.table({"x": [1]}).slice(1),
    pa.table({"s": ["a", None], "l": pa.array([[1], []], pa.list_(pa.int32()))}), pa.table({}),
    pa.table({"x": [1], "_key": ["k"], "_partition": [7], "_timestamp": [-1], "_tombstone": [True]}),
    pa.table({"value": [b"a", None]}), pa.table({"x": [2**63 - 1] * 10_000}).to_reader(),
]  # fmt: skip

WORDS = [
    "bytes", "string", "avro", "auto", "bare", "single_object", "keep", "skip", "group", "commit", "collect", "dense",
    "json", "pyarrow", "numpy", "ignore", "latest", "derive", "record", "topic_record", "error", "default", "x", "s",
    "murmur2", "schema_header",
]  # fmt: skip

CONFIGS: list[Any] = [
    {"auto.offset.reset": "earliest"}, {"no.such": 1},
    {"fetch.max.bytes": -1}, {"queued.max.messages.kbytes": 1}, {"group.id": "x"}, {"a\0": 1},
    {"security.protocol": "SSL"}, {"sasl.mechanisms": "PLAIN", "security.protocol": "SASL_PLAINTEXT"},
    {"enable.partition.eof": True}, {"statistics.interval.ms": 1}, {"debug": "all"},
    {"plugin.library.paths": "/nowhere.so"}, {"ssl.ca.location": "/dev/null"},
]  # fmt: skip


class Caller:
    """Draws calls and makes them.

    Keeps what they give, so that later calls get it: also what is closed, exhausted or another's.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.kafka = MockKafka(topics=["t", "u"])
        for _ in range(3):
            self.kafka.produce("t", SCHEMAS[0], [{"x": n} for n in range(20)])
            self.kafka.produce("t", SCHEMAS[1], [{"s": None, "l": [1, 2]}, {"s": "s", "l": []}])
        for body in BODIES:
            if isinstance(body, bytes):
                self.kafka.produce_raw("t", [body])
        self.listeners: list[Any] = []
        self.batches: list[Any] = []
        self.decoders: list[Any] = []
        self.iterators: list[Any] = []
        self.producers: list[Any] = []
        self.reports: list[Any] = []
        self.answers = self.refusals = 0

    def run(self, count: int) -> None:
        for _ in range(count):
            kinds = [self.open, self.call, self.batch, self.decode, self.send, self.report, self.drop]
            self.chance.choices(kinds, [2, 12, 4, 4, 6, 2, 2])[0]()

    def made(self, what: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if "VERBOSE" in os.environ:
            print(what, repr(arguments)[:200], repr(options)[:300], flush=True)
        try:
            answer = function(*arguments, **options)
        except EXPECTED:
            self.refusals += 1
            return None
        self.answers += 1
        return answer

    def any(self) -> Any:
        pools = [self.listeners, self.batches, self.decoders, self.producers, self.reports, HOSTILE, HOSTILE, HOSTILE]
        return self.chance.choice(self.chance.choice(pools) or HOSTILE)

    def open(self) -> None:
        # Mostly one that can be used; the broker is the embedded one, or none.
        chance = self.chance
        options: dict[str, Any] = {
            "config": {"auto.offset.reset": "earliest", "fetch.wait.max.ms": 5},
            "ready_timeout": chance.choice([0, 1, 300]),
        }
        places: list[Any] = [self.kafka.servers, "group", None, self.kafka.registry_url]
        options["assign"] = {"t": [0]}
        options["errors"] = chance.choice(["raise", "skip", "collect"])
        for name in chance.sample(OPTIONS, chance.choice([0, 0, 1, 1, 2, 4])):
            options[name] = chance.choice([self.any(), chance.choice(WORDS), chance.choice(CONFIGS)])
        if not chance.randrange(5):
            places[chance.randrange(4)] = chance.choice([self.any(), "127.0.0.1:9", "http://127.0.0.1:9"])
        p = self.made("listener", pykafarr.listener, *places, **options)
        if p is None:
            return
        self.listeners.append(p)
        if len(self.listeners) > 4:
            self.made("close", self.listeners.pop(0).close, False)

    def call(self) -> None:
        if not self.listeners:
            return
        chance, p = self.chance, self.chance.choice(self.listeners)
        most, time = chance.choice([1, 3, 1000, self.any()]), chance.choice([0, 1, 20])
        partitions = chance.choice([None, "t", ["t"], [("t", 0)], self.any()])
        place = chance.choice(["earliest", "latest", "committed", 0, 3, 10**9, self.any()])
        where = chance.choice([("t", 0), ("t", 1), ("u", 0), (self.any(), self.any())])
        calls: list[tuple[str, Any, tuple[Any, ...]]] = [
            ("poll", p.poll, (most, time)), ("poll_batch", p.poll_batch, (most, time)),
            ("poll_batch", p.poll_batch, (most, time)),
            ("batches", p.batches, (most, time, chance.choice([0, 1, self.any()]))), ("commit", p.commit, ()),
            ("commit(batch)", p.commit, (chance.choice([*self.batches, self.any()]),)),
            ("seek", p.seek, (*where, place)), ("pause", p.pause, (partitions,)), ("resume", p.resume, (partitions,)),
            ("position", p.position, ()), ("committed", p.committed, ()), ("lag", p.lag, ()),
            ("assignment", p.assignment, ()), ("stats", p.stats, ()), ("repr", repr, (p,)),
            ("enter", p.__enter__, ()),
        ]  # fmt: skip
        if not chance.randrange(20):
            calls = [("close", p.close, (chance.choice([True, False]),))]
        name, function, arguments = chance.choice(calls)
        answer = self.made(name, function, *arguments)
        if isinstance(answer, pykafarr.Batch):
            self.keep(answer)
        elif name == "batches" and answer is not None and arguments[2] in (0, 1):
            self.iterators.append(answer)  # one that is told to wait longer does, where all is paused
        if self.iterators and not chance.randrange(3):
            found = self.made("next", next, chance.choice(self.iterators[-3:]))
            if isinstance(found, pykafarr.Batch):
                self.keep(found)

    def keep(self, batch: pykafarr.Batch) -> None:
        batch.to_arrow().validate(full=True)
        self.batches = [*self.batches[-5:], batch]

    def batch(self) -> None:
        if not self.batches:
            return
        batch = self.chance.choice(self.batches)
        calls = [
            batch.to_arrow,
            batch.to_pandas,
            batch.__arrow_c_array__,
            batch.__arrow_c_stream__,
            batch.__len__,
            batch.__repr__,
        ]
        function: Any = self.chance.choice(calls)
        options = {"dtype_backend": self.any(), "copy": self.chance.choice([True, False])}
        chosen = options if function == batch.to_pandas and self.chance.randrange(2) else {}
        self.made(f"batch.{function.__name__}", function, **chosen)

    def decode(self) -> None:
        chance = self.chance
        bodies = chance.choice([chance.choices(BODIES, k=chance.randrange(6)), self.any(), [b"\x02"] * 1000])
        schema = chance.choice([chance.choice(SCHEMAS), self.any()])
        options = {
            name: chance.choice([self.any(), chance.choice(WORDS)])
            for name in chance.sample(["unions", "recursion", "columns", "limits"], chance.randrange(2))
        }
        if chance.randrange(2) and self.decoders:
            answer = self.made("Decoder.decode", chance.choice(self.decoders).decode, bodies)
        elif chance.randrange(2):
            answer = self.made(
                "decode", pykafarr.decode, schema, bodies, chance.choice([None, None, self.any()]), **options
            )
        else:
            decoder = self.made("Decoder", pykafarr.Decoder, schema, chance.choice([None, None, self.any()]), **options)
            if decoder is not None:
                self.decoders = [*self.decoders[-5:], decoder]
            return
        if answer is not None:
            answer.validate(full=True)

    def send(self) -> None:
        chance = self.chance
        if not self.producers or not chance.randrange(8):
            # What is not answered is given up within a second.
            config = {"delivery.timeout.ms": 1000, "request.timeout.ms": 500}
            options: dict[str, Any] = {"config": chance.choice([config] * 6 + CONFIGS)}
            for name in chance.sample(["registry_config", "limits", "memory_limit"], chance.choice([0, 0, 0, 1])):
                options[name] = self.any()
            places = [self.kafka.servers, self.kafka.registry_url]
            if not chance.randrange(8):
                places[chance.randrange(2)] = self.any()
            out = self.made("producer", pykafarr.producer, *places, **options)
            if out is None:
                return
            self.producers.append(out)
            if len(self.producers) > 3:
                self.made("producer.close", self.producers.pop(0).close, 1000)
        out = chance.choice(self.producers)
        if not chance.randrange(15):
            self.made("flush", out.flush)
        if not chance.randrange(30):
            self.made("producer.close", out.close, chance.choice([0, 1000, self.any()]))
        options = {
            name: chance.choice([self.any(), chance.choice(WORDS), chance.choice(SCHEMAS)])
            for name in chance.sample(SEND_OPTIONS, chance.choice([0, 0, 1, 1, 2, 4]))
        }
        frame = chance.choice([*FRAMES, *self.batches, self.any()])
        message_type = chance.choice(["A", "A", "B", None, "bytes", "null", self.any()])
        topic = chance.choice(["t", "t", "u", "none", self.any()])
        report = self.made("send", out.send, message_type, frame, topic, **options)
        if report is not None:
            self.reports = [*self.reports[-5:], report]

    def report(self) -> None:
        if self.reports:
            report = self.chance.choice(self.reports)
            calls: list[Callable[[], Any]] = [
                lambda: report.wait(self.chance.choice([0, 5, 2000, self.any()])), lambda: report.done,
                lambda: report.ranges, lambda: report.failures, lambda: report.written, lambda: repr(report),
                lambda: pickle.loads(pickle.dumps(report)),
            ]  # fmt: skip
            self.made("report", self.chance.choice(calls))

    def drop(self) -> None:
        pools = [self.listeners, self.batches, self.decoders, self.iterators, self.producers, self.reports]
        pool = self.chance.choice(pools)
        if pool:
            pool.pop(self.chance.randrange(len(pool)))
        gc.collect()


def main() -> None:
    seed, count = map(int, sys.argv[1:])
    caller = Caller(seed)
    caller.run(count)
    print(f"seed={seed} steps={count}: {caller.answers} calls answered, {caller.refusals} refused")


if __name__ == "__main__":
    main()
