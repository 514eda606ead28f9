"""Offsets of a listener in a producer's transaction: consume, transform, produce, on defaults where there are some."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import pykafarr
from pykafarr._library.library import library
from pykafarr._producers import producer as producer_module
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NUMBER = {"type": "record", "name": "com.example.Number", "fields": [{"name": "n", "type": "long"}]}
TYPE = "com.example.Number"
CONFIG = {"auto.offset.reset": "earliest", "enable.auto.commit": False}


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka() as made:
        yield made


class Place:
    """A topic of numbers, and one for their copies."""

    def __init__(self, kafka: MockKafka, name: str) -> None:
        self.kafka, self.source, self.target = kafka, name, name + "-copies"
        kafka.create_topic(self.source, partitions=2)
        kafka.create_topic(self.target)

    def write(self, *numbers: int, partition: int = 0) -> None:
        self.kafka.produce(self.source, NUMBER, [{"n": n} for n in numbers], partition=partition)

    def listen(self, *, subscribed: bool = False, **options: Any) -> pykafarr.Listener:
        options = {"acknowledge": "commit", "config": CONFIG, **options}
        if not subscribed:  # which waits for no group
            options["assign"] = {self.source: [0, 1]}
        topics = self.source if subscribed else None
        return pykafarr.listener(self.kafka.servers, "copy-" + self.source, topics, self.kafka.registry_url, **options)

    def producer(self) -> pykafarr.Producer:
        return pykafarr.producer(self.kafka.servers, self.kafka.registry_url, transactional_id=self.source)

    def send(self, t: pykafarr.Transaction, batch: pykafarr.Batch) -> None:
        t.send(TYPE, pa.table({"n": batch.to_arrow()["n"]}), self.target, schema=NUMBER, register=True)

    def copy(self, out: pykafarr.Producer, *batches: pykafarr.Batch, then: Callable[[], object] = lambda: None) -> None:
        """Sends batches on in one transaction."""
        with out.transaction() as t:
            for batch in batches:
                self.send(t, batch)
                t.commit_offsets(batch)
            then()

    def copies(self) -> list[int]:
        with pykafarr.scan(self.kafka.servers, self.target, self.kafka.registry_url, metadata=()).read() as stream:
            tables = stream.to_arrow()
        return tables[TYPE]["n"].to_pylist() if tables else []


@pytest.fixture
def place(kafka: MockKafka, request: pytest.FixtureRequest) -> Place:
    return Place(kafka, "".join(letter if letter.isalnum() else "-" for letter in request.node.name))


def polled(listener: pykafarr.Listener, rows: int) -> pykafarr.Batch:
    batch = listener.poll_batch(rows, 10_000)
    assert batch is not None
    assert batch.num_rows == rows
    return batch


def committed(listener: pykafarr.Listener) -> dict[int, int | None]:
    return {partition: offset for (_, partition), offset in listener.committed().items()}


def test_rows_and_offsets_are_committed_together(place: Place) -> None:
    place.write(1, 2, 3)
    before: list[dict[int, int | None]] = []
    with place.listen() as p, place.producer() as out:
        batch = polled(p, 3)
        place.copy(out, batch, then=lambda: before.append(committed(p)))
        assert before == [{0: None, 1: None}]
        assert committed(p) == {0: 3, 1: None}
        place.write(4)
        with out.transaction() as t:
            t.commit_offsets(polled(p, 1))  # offsets alone
        assert committed(p) == {0: 4, 1: None}
    with place.listen() as p:
        assert p.poll_batch(10, 300) is None
    assert place.copies() == [1, 2, 3]


def test_a_batch_of_a_transaction_that_was_aborted_is_open_and_may_be_tried_again(place: Place) -> None:
    place.write(1, 2)
    with place.listen() as p, place.producer() as out:
        batch = polled(p, 2)
        with contextlib.suppress(ZeroDivisionError):
            place.copy(out, batch, then=lambda: 1 // 0)
        assert (place.copies(), committed(p)[0]) == ([], None)
        place.copy(out, batch)
        assert (place.copies(), committed(p)[0]) == ([1, 2], 2)


def test_the_rows_of_a_batch_that_was_aborted_come_again_from_the_committed_offset(place: Place) -> None:
    place.write(1, 2)
    with place.listen() as p, place.producer() as out:
        place.copy(out, polled(p, 2))
        place.write(3, 4)
        with contextlib.suppress(ZeroDivisionError):
            place.copy(out, polled(p, 2), then=lambda: 1 // 0)
        p.seek(place.source, 0, "committed")
        assert polled(p, 2).to_arrow()["n"].to_pylist() == [3, 4]
    with place.listen() as p:  # close() has committed nothing
        assert polled(p, 2).to_arrow()["n"].to_pylist() == [3, 4]


def test_rows_are_committed_in_their_order_or_together(place: Place) -> None:
    place.write(1, 2, 3)
    with place.listen() as p, place.producer() as out:
        first, second, third = (polled(p, 1) for _ in range(3))
        with pytest.raises(pykafarr.StateError, match=r"the row at offset 0, of another batch, is not.*is aborted"):
            place.copy(out, second)
        with out.transaction() as t:
            for batch in (second, first, second):
                t.commit_offsets(batch)
            place.send(t, first)
            place.send(t, second)
        assert committed(p)[0] == 2
        place.copy(out, third)
    assert place.copies() == [1, 2, 3]


def test_a_batch_counts_once(place: Place) -> None:
    place.write(1)
    with place.listen() as p, place.producer() as out:
        batch = polled(p, 1)
        with out.transaction() as t:
            t.commit_offsets(batch)
            with (
                pykafarr.producer(place.kafka.servers, None, transactional_id="other") as other,
                other.transaction() as second,
                pytest.raises(pykafarr.StateError, match="part of a transaction"),
            ):
                second.commit_offsets(batch)
        with out.transaction() as t, pytest.raises(pykafarr.StateError, match="not open"):
            t.commit_offsets(batch)


def test_a_batch_from_before_a_seek_is_not_committed(place: Place) -> None:
    place.write(1, 2)
    with place.listen() as p, place.producer() as out:
        batch = polled(p, 2)
        with pytest.raises(pykafarr.StateError, match="not open"):
            place.copy(out, batch, then=lambda: p.seek(place.source, 0, "earliest"))
        batch = polled(p, 2)
        place.copy(out, batch)
    assert place.copies() == [1, 2]


def test_the_listener_leaves_its_offsets_to_transactions(place: Place) -> None:
    place.write(1)
    with place.listen() as p, place.producer() as out:
        batch = polled(p, 1)
        with out.transaction() as t:
            t.commit_offsets(batch)
            for commit in (p.commit, lambda: p.commit(batch)):
                with pytest.raises(pykafarr.StateError, match="committed by transactions"):
                    commit()
        assert committed(p)[0] == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"acknowledge": "next_poll"}, 'acknowledge="commit"'),
        ({"config": {"auto.offset.reset": "earliest"}}, "enable.auto.commit"),
        ({"config": {**CONFIG, "isolation.level": "read_uncommitted"}}, "isolation.level=read_committed"),
    ],
)
def test_a_listener_that_would_commit_by_itself_is_refused(place: Place, options: Any, said: str) -> None:
    place.write(1)
    with place.listen(**options) as p, place.producer() as out:
        batch = polled(p, 1)
        with pytest.raises(pykafarr.ConfigError, match=said):
            place.copy(out, batch)
    assert place.copies() == []


def test_partitions_that_were_taken_away_meanwhile_are_not_committed(place: Place) -> None:
    place.write(1, 2)
    place.write(3, 4, partition=1)
    with place.producer() as out, place.listen(subscribed=True) as p:
        seen = [p.poll_batch(4, 10_000)]
        while sum(batch.num_rows for batch in seen if batch) < 4:
            seen.append(p.poll_batch(4, 10_000))
        with ThreadPoolExecutor(1) as pool, place.listen(subscribed=True) as other:
            again = pool.submit(other.poll_batch, 2, 10_000)
            while not again.done():
                p.poll_batch(1, 50)
            batch = again.result()
            assert batch is not None
            with pytest.raises(pykafarr.GroupError, match="reads the rows from offset 0 on again"):
                place.copy(out, *(one for one in seen if one))
            place.copy(out, batch)
    assert place.copies() == batch.to_arrow()["n"].to_pylist()


def test_a_commit_that_is_interrupted_leaves_no_transaction_open(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write(1)
    with place.listen() as p, place.producer() as out:
        batch = polled(p, 1)

        def interrupted() -> None:
            """The next wait for an operation is interrupted once."""
            real, waits = library(), iter([KeyboardInterrupt])

            class Lib:
                def __getattr__(self, name: str) -> Any:
                    if name == "kafarr_wait":
                        for error in waits:
                            raise error
                    return getattr(real.lib, name)

            class Library:
                lib = Lib()

                def __getattr__(self, name: str) -> Any:
                    return getattr(real, name)

            monkeypatch.setattr(producer_module, "library", Library)

        with pytest.raises(KeyboardInterrupt):
            place.copy(out, then=interrupted)
        place.copy(out, batch)
    assert place.copies() == [1]


def test_what_is_no_batch_of_an_open_listener_is_named(place: Place) -> None:
    place.write(1)
    with place.listen() as p:
        batch = polled(p, 1)
    with place.producer() as out:
        with out.transaction() as t:
            with pytest.raises(TypeError, match="must be a Batch"):
                t.commit_offsets(batch.to_arrow())  # type: ignore[arg-type]
            with pytest.raises(pykafarr.ClosedError):
                t.commit_offsets(batch)
        with pytest.raises(pykafarr.StateError, match="with block"):
            out.transaction().commit_offsets(batch)


@pytest.mark.parametrize("subscribed", [False, True])
def test_a_batch_of_another_cluster_is_refused_and_its_offsets_are_committed_nowhere(
    place: Place, subscribed: bool
) -> None:
    place.write(0, 1)
    with (
        MockKafka(topics={place.target: 1, place.source: 2}) as elsewhere,
        place.listen(subscribed=subscribed) as listener,
        pykafarr.producer(elsewhere.servers, elsewhere.registry_url, transactional_id="elsewhere") as out,
    ):
        batch = polled(listener, 2)
        with contextlib.ExitStack() as stack:
            t = stack.enter_context(out.transaction())
            place.send(t, batch)
            t.commit_offsets(batch)
            with pytest.raises(pykafarr.ConfigError, match=r"the listener's group copy-.* is of the cluster .*aborted"):
                stack.close()
        with pykafarr.scan(elsewhere.servers, place.target, elsewhere.registry_url).read() as stream:
            assert [table.num_rows for table in stream.to_arrow().values() if table.num_rows] == []
        with place.producer() as right:
            place.copy(right, batch)  # which is open as it was
    assert place.copies() == [0, 1]
