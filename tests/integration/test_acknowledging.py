"""Which rows count as processed, and where a group continues: at the first row that does not."""

import time

import pytest

from tests.integration.writing import A, numbers


class StoppedError(Exception):
    """What a program may raise while it works on a frame."""


def work_and_stop(listener):
    with listener:
        listener.poll(5, 5000)
        listener.poll(5, 5000)
        raise StoppedError


@pytest.fixture(autouse=True)
def written(writer, topic):
    """Fifteen rows."""
    writer.write(topic, A, numbers(0, 15))


def eventually(ask, expected, seconds=10):
    """Asks until the answer is what is expected, as background commits take their time."""
    deadline = time.monotonic() + seconds
    while (answer := ask()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def test_rows_are_acknowledged_by_the_next_poll(listen, committed):
    listener = listen(config={"auto.commit.interval.ms": 100})
    listener.poll(5, 5000)
    time.sleep(0.5)
    assert committed() is None

    listener.poll(5, 5000)
    assert eventually(committed, 5) == 5


def test_a_clean_close_commits_and_a_restart_repeats_nothing(listen, committed):
    with listen() as listener:
        listener.poll(5, 5000)
        listener.poll(5, 5000)
    assert committed() == 10

    _, frame = listen().poll(100, 500)
    assert list(frame["n"]) == list(range(10, 15))


def test_rows_that_were_fetched_but_not_returned_are_not_committed(listen, committed):
    with listen() as listener:
        listener.poll(1, 5000)
    assert committed() == 1


def test_an_exception_in_the_with_block_delivers_the_last_batch_again(listen, committed):
    with pytest.raises(StoppedError):
        work_and_stop(listen())
    assert committed() == 5

    _, frame = listen().poll(100, 500)
    assert list(frame["n"]) == list(range(5, 15))


def test_a_close_without_commit_delivers_the_last_batch_again(listen):
    listener = listen()
    listener.poll(5, 5000)
    listener.close(commit=False)

    _, frame = listen().poll(100, 500)
    assert list(frame["n"]) == list(range(15))


def test_nothing_is_committed_in_the_background_when_that_is_switched_off(listen, committed):
    listener = listen(config={"enable.auto.commit": False, "auto.commit.interval.ms": 100})
    listener.poll(5, 5000)
    listener.poll(5, 5000)
    time.sleep(0.5)
    assert committed() is None

    listener.commit()
    assert committed() == 10

    listener.poll(5, 5000)
    listener.close(commit=False)
    assert committed() == 10


def test_commit_covers_the_batch_that_was_just_returned(listen, committed):
    listener = listen()
    listener.poll(5, 5000)
    listener.commit()
    assert committed() == 5
    listener.commit()  # nothing new: nothing happens
    assert committed() == 5


def test_the_committed_offset_is_the_first_that_is_not_acknowledged(listen, committed):
    listener = listen(config={"enable.auto.commit": False})
    first = listener.poll_batch(5, 5000)
    listener.commit(first)
    assert committed() == 5

    second = listener.poll_batch(5, 5000)
    third = listener.poll_batch(5, 5000)  # which acknowledges the second
    listener.commit(first)
    assert committed() == 10
    listener.commit(third)
    assert committed() == 15
    listener.commit(second)  # late, and takes nothing back
    assert committed() == 15


def test_commits_of_several_partitions_are_kept_apart(cluster, writer, listen, committed):
    topic = cluster.new_topic(2)
    writer.write(topic, A, numbers(0, 4), 0)
    writer.write(topic, A, numbers(4, 6), 1)
    listener = listen(topic, config={"enable.auto.commit": False})

    listener.commit(listener.poll_batch(10, 5000))

    assert (committed(topic, 0), committed(topic, 1)) == (4, 6)


def test_a_group_of_its_own_reads_everything_again(listen, cluster):
    with listen() as listener:
        listener.poll(15, 5000)

    assert len(listen(group=cluster.new_name("group")).poll(15, 5000)[1]) == 15


def test_the_default_begins_at_the_end_of_the_topic(writer, topic, listen):
    listener = listen(config={"auto.offset.reset": "latest"})
    assert listener.poll(1, 0)[0] is None
    writer.write(topic, A, numbers(15, 1))

    assert list(listener.poll(1, 5000)[1]["n"]) == [15]
