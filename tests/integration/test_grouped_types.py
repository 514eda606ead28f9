"""mixed="group": a topic of A, B, A, B gives a frame of each; what is committed covers no row that is still open."""

import pytest

import pykafarr
from tests.integration.writing import A, B, numbers


@pytest.fixture(autouse=True)
def written(writer, topic):
    """Ten rows of A at the even offsets, ten of B at the odd ones."""
    for number in range(10):
        writer.write(topic, A, numbers(number, 1))
        writer.write(topic, B, [{"text": str(number)}])


EVEN, ODD = list(range(0, 20, 2)), list(range(1, 20, 2))


def offsets(batch):
    return batch.to_arrow().column("_offset").to_pylist()


@pytest.fixture
def grouped(listen):
    def open_listener(**options):
        return listen(mixed="group", **options)

    return open_listener


def test_one_poll_of_all_rows_gives_a_frame_of_each_type(grouped):
    listener = grouped()

    first_type, first = listener.poll(20, 10_000)
    second_type, second = listener.poll(20, 10_000)  # which waits for nothing: it is there

    assert (first_type, second_type) == ("com.example.A", "com.example.B")
    assert list(first["n"]) == list(range(10))
    assert list(first["_offset"]) == EVEN
    assert list(second["text"]) == [str(number) for number in range(10)]
    assert list(second["_offset"]) == ODD
    assert listener.poll(20, 200)[0] is None


def test_small_polls_keep_the_order_within_each_type(grouped):
    found = {"com.example.A": [], "com.example.B": []}
    for batch in grouped().batches(3, 300, idle_timeout=500):
        assert len(batch) <= 3
        found[batch.message_type] += offsets(batch)

    assert found == {"com.example.A": EVEN, "com.example.B": ODD}


def test_next_polls_acknowledge_a_type_at_a_time(grouped, committed):
    listener = grouped(config={"enable.auto.commit": False})
    listener.poll(20, 10_000)
    listener.commit()
    assert committed() == 1  # of B nothing was returned

    listener.poll(20, 10_000)
    assert committed() == 1
    listener.commit()
    assert committed() == 20


def test_the_committed_offset_is_the_first_row_not_acknowledged_in_any_order(grouped, committed):
    listener = grouped(acknowledge="commit")
    batches = [listener.poll_batch(8, 10_000) for _ in range(4)]
    assert [offsets(batch) for batch in batches] == [[0, 2, 4, 6], [1, 3, 5, 7], [8, 10, 12, 14], [9, 11, 13, 15]]
    open_rows = {offset for batch in batches for offset in offsets(batch)} | set(range(16, 20))

    for batch in (batches[3], batches[0], batches[1], batches[2]):
        listener.commit(batch)
        open_rows -= set(offsets(batch))
        assert (committed() or 0) == min(open_rows)
    listener.commit(batches[0])  # again, and late: takes nothing back
    assert committed() == 16


def test_a_close_without_commit_between_two_types_gives_the_unacknowledged_rows_again(grouped, committed):
    listener = grouped()
    assert offsets(listener.poll_batch(20, 10_000)) == EVEN
    listener.commit()
    listener.close(commit=False)
    assert committed() == 1

    again = grouped()
    # Kafka keeps one offset for a partition: the rows of A after the first one of B come again too.
    assert offsets(again.poll_batch(20, 1000)) == ODD
    assert offsets(again.poll_batch(20, 1000)) == EVEN[1:]


def test_a_close_without_commit_before_any_acknowledgement_gives_everything_again(grouped, committed):
    listener = grouped()
    listener.poll_batch(20, 10_000)
    listener.close(commit=False)
    assert committed() is None

    again = grouped()
    assert [offsets(again.poll_batch(20, 10_000)) for _ in range(2)] == [EVEN, ODD]


def test_a_clean_close_between_two_types_does_not_lose_the_second(grouped, committed):
    with grouped() as listener:
        assert offsets(listener.poll_batch(20, 10_000)) == EVEN
    assert committed() == 1

    assert offsets(grouped().poll_batch(20, 1000)) == ODD


def test_with_acknowledge_commit_polls_and_closes_acknowledge_nothing(grouped, committed):
    with grouped(acknowledge="commit", config={"auto.commit.interval.ms": 100}) as listener:
        for _ in range(3):
            listener.poll_batch(20, 500)
    assert committed() is None

    with grouped(acknowledge="commit") as listener:
        assert [offsets(listener.poll_batch(20, 10_000)) for _ in range(2)] == [EVEN, ODD]
        listener.commit()
    assert committed() == 20
    assert grouped(acknowledge="commit").poll_batch(20, 300) is None


def test_a_bad_row_is_told_behind_the_frames_and_the_rest_follows(writer, topic, grouped, committed):
    writer.write_values(topic, [writer.serialize(topic, A, {"n": 10})[:-1]])
    writer.write(topic, B, [{"text": "10"}])
    with grouped() as listener:
        found = [*offsets(listener.poll_batch(22, 500)), *offsets(listener.poll_batch(22, 500))]
        with pytest.raises(pykafarr.DecodeError) as caught:
            listener.poll_batch(22, 500)
        while len(found) < 21:
            found += offsets(listener.poll_batch(22, 5000))
        assert caught.value.offset == 20
        assert sorted(found) == [*range(20), 21]
    assert committed() == 22


def test_rejected_rows_are_acknowledged_with_the_batch_that_holds_them(writer, topic, grouped, committed):
    writer.write_values(topic, [b"bad"])
    listener = grouped(acknowledge="commit", errors="collect")
    batches = [listener.poll_batch(21, 1000) for _ in range(2)]
    rejecting = [batch for batch in batches if batch.rejected is not None]
    assert [batch.rejected.column("offset").to_pylist() for batch in rejecting] == [[20]]

    others = [batch for batch in batches if batch.rejected is None]
    for batch in others:
        listener.commit(batch)
    assert (committed() or 0) < 20
    listener.commit(rejecting[0])
    assert committed() == 21


def test_a_batch_is_committed_once_and_only_by_its_own_listener(grouped, cluster):
    listener, other = grouped(acknowledge="commit"), grouped(group=cluster.new_name("group"), acknowledge="commit")
    batch = listener.poll_batch(20, 10_000)

    with pytest.raises(pykafarr.ConfigError):
        other.commit(batch)
    listener.commit(batch)
    listener.commit(batch)
