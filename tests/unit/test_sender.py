"""Frames that are written by one call, and senders that travel to where the rows are."""

from __future__ import annotations

import functools
import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

import pykafarr
from pykafarr._engines import senders
from pykafarr.testing import MockKafka
from tests.unit.test_producer import FRAME, PRICE, TYPE, rows
from tests.unit.test_tracebacks import CONFIG, MISPLACED, REGISTRY_CONFIG, REGISTRY_URL, SECRET, SERVERS, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

GIVEN: dict[str, Any] = {"message_type": TYPE, "schema": PRICE, "register": True}
HEADERS = ("headers",)


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka() as made:
        yield made


@pytest.fixture
def topic(kafka: MockKafka, request: pytest.FixtureRequest) -> str:
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    kafka.create_topic(name)
    return name


def test_a_frame_of_pandas_or_polars_is_written_by_one_call(kafka: MockKafka, topic: str) -> None:
    polars = pytest.importorskip("polars")
    report = pykafarr.write(pd.DataFrame(FRAME), kafka.servers, topic, kafka.registry_url, **GIVEN)
    assert (report.topic, report.rows, report.written, report.done) == (topic, 2, 2, True)
    for frame in (pd.DataFrame(FRAME), polars.DataFrame(FRAME)):
        frame.pipe(pykafarr.write, kafka.servers, topic, kafka.registry_url, message_type=TYPE, key="symbol")
    assert rows(kafka, topic).to_pylist() == pa.table(FRAME).to_pylist() * 3
    assert rows(kafka, topic, key="string")["_key"].to_pylist() == [None, None, *FRAME["symbol"] * 2]


def test_with_a_transactional_id_a_call_writes_all_rows_or_none(kafka: MockKafka, topic: str) -> None:
    write = functools.partial(pykafarr.write, transactional_id=topic, **GIVEN)
    good = pa.table(FRAME).to_batches()[0]
    bad = pa.table({**FRAME, "bid": [1.0, None]}).to_batches()[0]
    with pytest.raises(pykafarr.EncodeError, match="bid: row 3: "):
        write(
            pa.RecordBatchReader.from_batches(good.schema, iter([good, bad])), kafka.servers, topic, kafka.registry_url
        )
    assert rows(kafka, topic, reader_schema=PRICE).num_rows == 0
    write(pa.table(FRAME), kafka.servers, topic, kafka.registry_url)
    assert rows(kafka, topic).to_pydict() == FRAME


def test_a_sender_travels_as_data_and_sends_where_it_arrives(
    kafka: MockKafka, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = tmp_path / "price.avsc"
    schema.write_text(json.dumps(PRICE))
    config = {"client.id": "given-as-text", "linger.ms": pykafarr.from_env("PYKAFARR_TEST")}
    options: dict[str, Any] = {**GIVEN, "schema": schema, "headers": {"source": b"desk 4"}, "config": config}
    text = pickle.dumps(pykafarr.Sender(kafka.servers, topic, kafka.registry_url, **options))
    assert b"PYKAFARR_TEST" in text  # the reference, whose variable is not here yet
    assert b"pykafarr._" not in text
    schema.unlink()
    there = pickle.loads(text)
    assert repr(there) == f"<pykafarr.Sender to {topic!r}>"
    assert "given-as-text" not in repr(vars(there))
    with pytest.raises(pykafarr.ConfigError, match="there is no environment variable 'PYKAFARR_TEST'"):
        there.send(pa.table(FRAME))
    monkeypatch.setenv("PYKAFARR_TEST", "5")
    assert there.send(pa.table(FRAME)).written == 2
    found = rows(kafka, topic, metadata=HEADERS).to_pylist()
    assert [row["_headers"] for row in found] == [[{"key": "source", "value": b"desk 4"}]] * 2


def test_a_complete_report_travels_and_one_that_is_not_says_so(kafka: MockKafka, topic: str) -> None:
    report = pykafarr.write(pa.table(FRAME), kafka.servers, topic, kafka.registry_url, **GIVEN)
    there = pickle.loads(pickle.dumps(report))
    assert (there.topic, there.rows, there.written, there.done) == (topic, 2, 2, True)
    assert there.ranges == report.ranges == [pykafarr.SentRange(topic, 0, 0, 1, 2)]
    assert (repr(there), there.wait()) == (repr(report), there)
    assert b"pykafarr._" not in pickle.dumps(report)


def test_a_delivery_error_travels_with_its_report() -> None:
    """multiprocessing, Ray and dask pickle what a worker raises."""
    config = {"delivery.timeout.ms": 500, "request.timeout.ms": 300}
    with MockKafka(topics=["T"]) as gone:
        out = pykafarr.producer(gone.servers, gone.registry_url, config=config)
        out.send(TYPE, pa.table(FRAME), "T", schema=PRICE, register=True, wait=True)
    report = out.send(TYPE, pa.table(FRAME), "T", schema=PRICE, register=True)
    with pytest.raises(TypeError, match=r"wait\(\) for it"):
        pickle.dumps(report)
    with pytest.raises(pykafarr.DeliveryError) as raised:
        report.wait()
    out.close()
    there = pickle.loads(pickle.dumps(raised.value))
    assert str(there) == str(raised.value)
    assert there.report.failures[0].rows == report.failures[0].rows == [(0, 1)]
    assert type(there.report.failures[0].error) is type(report.failures[0].error)
    assert (there.report.rows, there.report.written) == (2, 0)


def test_frames_of_a_part_are_numbered_throughout(kafka: MockKafka, topic: str) -> None:
    sender = pykafarr.Sender(kafka.servers, topic, kafka.registry_url, **GIVEN)
    bad = pa.table({**FRAME, "bid": [1.0, None]})
    with pytest.raises(pykafarr.EncodeError, match="bid: row 5: "):
        sender.send_all([pa.table(FRAME), pd.DataFrame(FRAME), bad])
    assert sender.send_all([pa.table(FRAME)] * 3).rows == 6
    assert sender.send_all([]).rows == 0


def test_each_attempt_of_a_part_is_told_apart_by_a_header(kafka: MockKafka, topic: str) -> None:
    sender = pykafarr.Sender(kafka.servers, topic, kafka.registry_url, task_header="task", headers={"a": "1"}, **GIVEN)
    for part in (0, 3, 3):
        sender.send(pa.table(FRAME), part=part, run="r")
    found = rows(kafka, topic, metadata=HEADERS)["_headers"].to_pylist()
    assert all([header["key"] for header in one] == ["a", "task"] for one in found)
    tasks = [one[1]["value"].decode().split("/") for one in found]
    assert [task[:2] for task in tasks] == [["r", "0"]] * 2 + [["r", "3"]] * 4
    # A reader that keeps one attempt of each part has each row once.
    assert len({task[2] for task in tasks}) == 3
    assert tasks[2][2] == tasks[3][2] != tasks[4][2] == tasks[5][2]


def test_a_header_of_the_task_comes_with_those_of_the_rows(kafka: MockKafka, topic: str) -> None:
    frame = pd.DataFrame({**FRAME, "_headers": [{"a": "1"}, None]})
    sender = pykafarr.Sender(kafka.servers, topic, kafka.registry_url, task_header="task", **GIVEN)
    sender.send(frame)
    found = rows(kafka, topic, metadata=HEADERS)["_headers"].to_pylist()
    assert [sorted(header["key"] for header in one) for one in found] == [["a", "task"], ["task"]]


def test_a_repeated_part_ends_what_its_first_attempt_left_open(kafka: MockKafka, topic: str) -> None:
    sender = pykafarr.Sender(kafka.servers, topic, kafka.registry_url, transactional_id=topic, **GIVEN)
    first = pykafarr.producer(kafka.servers, kafka.registry_url, transactional_id=f"{topic}-3")
    lost = first.transaction().__enter__()  # by a worker that was killed then
    lost.send(TYPE, pa.table({**FRAME, "symbol": ["LOST", "LOST"]}), topic, schema=PRICE, register=True, wait=True)
    sender.send(pa.table(FRAME), part=3)
    assert rows(kafka, topic)["symbol"].to_pylist() == FRAME["symbol"]
    assert rows(kafka, topic, config={"isolation.level": "read_uncommitted"}).num_rows == 4
    # The first attempt may only have been thought lost.
    with pytest.raises(pykafarr.KafarrError):
        lost.__exit__(None, None, None)
    with pytest.warns(ResourceWarning):
        del first, lost
    assert rows(kafka, topic)["symbol"].to_pylist() == FRAME["symbol"]


@pytest.mark.parametrize("schema", ["derive", {"derive": True}, {"derive": True, "enums": {"side": ["BUY"]}}])
def test_an_engine_whose_parts_may_differ_derives_no_schema(schema: Any) -> None:
    options: Any = {"schema": schema}
    assert senders.sender(SERVERS, "T", None, None, options, same_columns=True).derives
    with pytest.raises(pykafarr.ConfigError, match='schema="derive": the columns of one part'):
        senders.sender(SERVERS, "T", None, None, options)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"partitoner": "x"}, TypeError, "has no argument 'partitoner'. Did you mean partitioner?"),
        ({"linger_ms": "x"}, TypeError, 'goes into config={"linger.ms": …}'),
        ({"wait": True}, TypeError, "has no argument 'wait'"),
        ({"subject": "x"}, pykafarr.ConfigError, "subject must be one of"),
        ({"memory_limit": -1}, pykafarr.ConfigError, "memory_limit"),
        ({"transactional_id": ""}, pykafarr.ConfigError, "transactional_id must not be empty"),
        ({"schema": Path("/no/such/file")}, pykafarr.ConfigError, "cannot be read"),
    ],
)
def test_a_wrong_option_is_named_before_anything_travels(options: dict[str, Any], error: Any, said: str) -> None:
    for make in (pykafarr.Sender, functools.partial(pykafarr.write, pa.table(FRAME))):
        with pytest.raises(error) as raised:
            make(SERVERS, "T", None, **options)
        assert said in str(raised.value)
    with pytest.raises(pykafarr.ConfigError, match="task_header must not be empty"):
        pykafarr.Sender(SERVERS, "T", None, task_header="")


@pytest.mark.parametrize("wrong", [*MISPLACED, {"confg": CONFIG}, {"sasl_password": SECRET}])
def test_no_frame_of_a_traceback_shows_a_password(wrong: dict[str, Any]) -> None:
    options = {"config": CONFIG, "registry_config": REGISTRY_CONFIG, "registry_url": REGISTRY_URL, **wrong}
    if options.pop("errors", None):  # what is right, beside something that is wrong
        options["extra"] = "nope"
    given = {"servers": options.pop("servers", SERVERS), "topic": options.pop("topics", "T")}
    with pytest.raises((pykafarr.KafarrError, TypeError)) as raised:
        pykafarr.write(pa.table(FRAME), **given, **options)
    assert shown(raised.value) == []
    assert SECRET not in str(raised.value)
