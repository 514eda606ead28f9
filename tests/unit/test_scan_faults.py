"""Brokers and registries that hang up, stall or answer nonsense at each step: all rows come, or an error does."""

from __future__ import annotations

import contextlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, get_args

import duckdb
import pytest

import pykafarr
from pykafarr._cli import main as cli
from pykafarr.polars import scan_kafka
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books
from tests.servers.faulty_broker import Fault, FaultyBroker
from tests.servers.faulty_registry import Answer, FaultyRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

OLDER = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}]}
NEWER = {
    "type": "record",
    "name": "R",
    "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "int", "default": 0}],
}
# Two partitions of three batches of messages, which an answer to a Fetch brings one of.
ROWS = [(partition, offset) for partition in range(2) for offset in range(30)]
SMALL_ANSWERS = {"max.partition.fetch.bytes": 1, "fetch.wait.max.ms": 10}

# What another try mends, so that no row may be missing and no error may come.
PASSING_FAULTS = {"hang up", "reset", "stall", "truncate"}

ANSWERS = {
    "hang up": Answer(200, raw=b""),
    "reset": Answer(200, raw=b"", reset=True),
    "stall": Answer(200, delay=1.5),
    "half of the headers": Answer(200, raw=b"HTTP/1.1 200 OK\r\nContent-Ty"),
    "no body": Answer(200, b"", cut=True),
    "half of the body": Answer(200, b'{"schema": "{', cut=True),
    "TLS": Answer(200, raw=b"\x15\x03\x01\x00\x02\x02\x16"),
    "HTML": Answer(200, b"<html></html>", "text/html"),
    "nothing": Answer(200, b""),
    "an object without a schema": Answer(200, b"{}"),
    "null": Answer(200, b"null"),
    "an array": Answer(200, b"[]"),
    "a schema that is none": Answer(200, b'{"schema": "7"}'),
}
PASSING_ANSWERS = {
    "hang up", "reset", "stall", "half of the headers", "no body", "half of the body", "TLS", "HTML", "nothing"
}  # fmt: skip


@pytest.fixture(scope="module")
def kafka():
    with MockKafka(topics={"T": 2}) as made:
        for partition, batch in itertools.product(range(2), range(3)):
            rows = [{"x": 10 * batch + number, "y": 0} for number in range(10)]
            made.produce(
                "T",
                OLDER if batch == 0 else NEWER,
                [{"x": row["x"]} for row in rows] if batch == 0 else rows,
                partition=partition,
            )
        yield made


def outcome(read: Callable[[], Any]) -> str:
    """What a reading comes to: "all rows", "an error", or what it should never be."""
    try:
        table = read()
    except pykafarr.KafarrError:
        return "an error"
    rows = sorted(zip(table["_partition"].to_pylist(), table["_offset"].to_pylist(), strict=True))
    return "all rows" if rows == ROWS else f"{len(rows)} rows, and no error"


def table_of(servers: str, registry_url: str, timeout: int, **options: Any) -> Any:
    plan = pykafarr.scan(
        servers,
        "T",
        registry_url,
        metadata=("partition", "offset"),
        config={**SMALL_ANSWERS, "socket.timeout.ms": 300},
        registry_config={"request.timeout.ms": 300},
        timeout=timeout,
        **{"reader_schema": NEWER, **options},
    )
    return plan.read().to_arrow("R")


def through_a_broker(kafka: MockKafka, fault: Fault, step: str, from_: int, times: int, timeout: int) -> str:
    """Reads through a broker at which some requests of one kind meet a fault."""
    with contextlib.closing(FaultyBroker(kafka.servers)) as broker:
        broker.fault = lambda name, before: fault if name == step and from_ <= before < from_ + times else None
        return outcome(lambda: table_of(broker.servers, kafka.registry_url, timeout))


def through_a_registry(kafka: MockKafka, answer: Answer, path: str, times: int, timeout: int, **options: Any) -> str:
    """Reads with a registry whose first answers to one path are these."""
    left = iter(range(times))
    with contextlib.closing(FaultyRegistry(kafka.registry_url)) as registry:
        registry.fault = lambda asked: answer if path in asked and next(left, None) is not None else None
        return outcome(lambda: table_of(kafka.servers, registry.url, timeout, **options))


def at_once(cases: dict[str, Callable[[], str]]) -> dict[str, str]:
    """The outcomes of many readings, most of which wait."""
    with ThreadPoolExecutor(len(cases)) as threads:
        begun = {name: threads.submit(case) for name, case in cases.items()}
        return {name: one.result() for name, one in begun.items()}


BROKER_STEPS = {
    "the connection": ("connect", 0),
    "a later connection": ("connect", 1),
    "ApiVersions": ("ApiVersions", 0),
    "Metadata": ("Metadata", 0),
    "Metadata of a reader": ("Metadata", 1),
    "ListOffsets": ("ListOffsets", 0),
    "a later ListOffsets": ("ListOffsets", 1),
    "Fetch": ("Fetch", 0),
    "a later Fetch": ("Fetch", 3),
}


@pytest.mark.parametrize("step", BROKER_STEPS)
def test_a_fault_of_a_broker_is_an_error_or_costs_no_row(kafka, step):
    name, before = BROKER_STEPS[step]
    faults = [fault for fault in get_args(Fault) if name != "connect" or fault in {"hang up", "reset", "stall", "http"}]

    def cases(times: int, timeout: int) -> dict[str, Callable[[], str]]:
        return {fault: lambda f=fault: through_a_broker(kafka, f, name, before, times, timeout) for fault in faults}

    once = at_once(cases(1, 20_000))
    assert {fault: found for fault, found in once.items() if fault in PASSING_FAULTS} == {
        fault: "all rows" for fault in faults if fault in PASSING_FAULTS
    }
    assert set(once.values()) <= {"all rows", "an error"}
    assert at_once(cases(10**9, 400)) == dict.fromkeys(faults, "an error")


@pytest.mark.parametrize("path", ["/ids/1", "/ids/2", "/subjects/T-value"])
def test_a_fault_of_a_registry_is_an_error_or_costs_no_row(kafka, path):
    options = {"reader_schema": "latest"} if "subjects" in path else {}

    def cases(times: int, timeout: int) -> dict[str, Callable[[], str]]:
        return {
            name: lambda a=answer: through_a_registry(kafka, a, path, times, timeout, **options)
            for name, answer in ANSWERS.items()
        }

    once = at_once(cases(1, 20_000))
    assert {name: found for name, found in once.items() if name in PASSING_ANSWERS} == dict.fromkeys(
        PASSING_ANSWERS, "all rows"
    )
    assert set(once.values()) <= {"all rows", "an error"}
    assert at_once(cases(10**9, 400)) == dict.fromkeys(ANSWERS, "an error")


def duckdb_counts(stream: pykafarr.Stream) -> Any:
    reader = stream.reader()
    return duckdb.connect().from_arrow(reader).aggregate("count(*)").fetchall()


WAYS: dict[str, Callable[[pykafarr.Plan], Any]] = {
    "to_pandas": lambda plan: plan.read().to_pandas(),
    "to_pandas of a type": lambda plan: plan.read().to_pandas("R"),
    "to_arrow": lambda plan: plan.read().to_arrow(),
    "reader": lambda plan: plan.read().reader().read_all(),
    "iteration": lambda plan: list(plan.read()),
    "tasks": lambda plan: [task.read().to_arrow() for task in plan.tasks(max_rows=7)],
    "iteration of tasks": lambda plan: [list(task.read()) for task in plan.tasks()],
    "duckdb": lambda plan: duckdb_counts(plan.read()),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", ["broker", "registry"])
def test_every_way_to_read_raises_what_keeps_it_from_reading(kafka, way, where):
    with (
        contextlib.closing(FaultyBroker(kafka.servers)) as broker,
        contextlib.closing(FaultyRegistry(kafka.registry_url)) as registry,
    ):
        plan = pykafarr.scan(broker.servers, "T", registry.url, config=SMALL_ANSWERS, reader_schema=NEWER, timeout=500)
        assert plan.rows == len(ROWS)
        if where == "broker":
            broker.fault = lambda name, before: "hang up" if name == "Fetch" and before >= 3 else None
        else:
            registry.fault = lambda path: ANSWERS["hang up"] if "/ids/2" in path else None
        wanted = pykafarr.BrokerError if where == "broker" else pykafarr.RegistryError
        with pytest.raises((wanted, duckdb.Error), match=r"closed the connection|EOF"):
            WAYS[way](plan)


AGAIN: dict[str, Callable[[Any], Any]] = {
    "iteration": list,
    "next": next,
    "to_arrow": lambda stream: stream.to_arrow(),
    "to_arrow of a type": lambda stream: stream.to_arrow("R"),
    "to_pandas": lambda stream: stream.to_pandas(),
    "reader": lambda stream: stream.reader().read_all(),
}


@pytest.mark.parametrize("way", AGAIN)
@pytest.mark.parametrize("of", ["plan", "task"])
def test_a_stream_that_has_failed_raises_its_failure_whenever_it_is_read_until_it_is_closed(kafka, way, of):
    with contextlib.closing(FaultyBroker(kafka.servers)) as broker:
        plan = pykafarr.scan(broker.servers, "T", kafka.registry_url, config=SMALL_ANSWERS, timeout=500)
        broker.fault = lambda name, before: "hang up" if name == "Fetch" else None
        with (plan if of == "plan" else plan.tasks()[0]).read() as stream:
            for _ in range(3):
                with pytest.raises(pykafarr.BrokerError, match=r"closed the connection|EOF"):
                    AGAIN[way](stream)
        with pytest.raises(pykafarr.ClosedError):
            AGAIN[way](stream)


def test_a_reader_that_has_failed_raises_its_failure_whenever_it_is_read(kafka):
    with contextlib.closing(FaultyBroker(kafka.servers)) as broker:
        options = {"config": SMALL_ANSWERS, "reader_schema": NEWER, "timeout": 500, "num_messages": 2}
        plan = pykafarr.scan(broker.servers, "T", kafka.registry_url, **options)
        broker.fault = lambda name, before: "hang up" if name == "Fetch" and before >= 3 else None
        reader = plan.read().reader()
        for _ in range(3):
            with pytest.raises(pykafarr.BrokerError, match=r"closed the connection|EOF"):
                reader.read_all()
        with pytest.raises(duckdb.Error, match=r"closed the connection|EOF"):
            duckdb.connect().from_arrow(reader).aggregate("count(*)").fetchall()


def interrupted():
    raise KeyboardInterrupt


def test_a_reader_that_was_interrupted_gives_no_rest_of_the_rows(kafka, monkeypatch):
    stream = pykafarr.scan(kafka.servers, "T", kafka.registry_url, reader_schema=NEWER, num_messages=2).read()
    reader = stream.reader()
    with monkeypatch.context() as patched:
        patched.setattr(stream, "_receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reader.read_all()
    with pytest.raises(pykafarr.StateError, match=r"left before its end, by KeyboardInterrupt: call read"):
        reader.read_all()


@pytest.mark.parametrize("where", ["broker", "registry"])
def test_a_lazy_frame_of_polars_raises_what_keeps_it_from_reading(kafka, where):
    with (
        contextlib.closing(FaultyBroker(kafka.servers)) as broker,
        contextlib.closing(FaultyRegistry(kafka.registry_url)) as registry,
    ):
        frame = scan_kafka(broker.servers, "T", registry.url, config=SMALL_ANSWERS, timeout=500)
        if where == "broker":
            broker.fault = lambda name, before: "hang up" if name == "Fetch" and before >= 3 else None
        else:
            registry.fault = lambda path: ANSWERS["hang up"] if "/ids/" in path else None
        with pytest.raises(pykafarr.BrokerError if where == "broker" else pykafarr.RegistryError):
            frame.collect()


@pytest.mark.parametrize("way", ["print", "file", "listen"])
@pytest.mark.parametrize("where", ["broker", "registry"])
def test_the_command_line_fails_where_it_cannot_read(kafka, way, where, tmp_path, capsys):
    target = tmp_path / "out.parquet"
    more = {
        "print": ["--start", "earliest"],
        "file": ["--output", str(target)],
        "listen": ["--from-beginning", "--idle-timeout", "1000"],
    }[way]
    with (
        contextlib.closing(FaultyBroker(kafka.servers)) as broker,
        contextlib.closing(FaultyRegistry(kafka.registry_url)) as registry,
    ):
        if where == "broker":
            broker.fault = lambda name, _before: "hang up" if name == "Fetch" else None
        else:
            registry.fault = lambda path: ANSWERS["hang up"] if "/ids/" in path else None
        read = ["read", "--servers", broker.servers, "--topics", "T", "--registry", registry.url]
        assert cli.main([*read, "--ready-timeout", "700", *more]) == 1
    assert not list(tmp_path.iterdir())
    assert "Error: " in capsys.readouterr().err
