"""on_assign and on_revoke against a scripted library: when they run, and what becomes of their exceptions."""

import contextlib
import threading

import pyarrow as pa
import pytest

import pykafarr
from pykafarr import TopicPartition


def rows(*numbers):
    return pa.record_batch([pa.array(numbers, pa.int64())], schema=pa.schema([("x", pa.int64())]))


def assigned(*partitions):
    return {"partitions": [["t", number] for number in partitions], "revoked": False, "lost": False}


def revoked(*partitions, lost=False):
    return {"partitions": [["t", number] for number in partitions], "revoked": True, "lost": lost}


class Callables:
    """Notes what it is told among the library's calls, so that the order shows."""

    def __init__(self, fake):
        self.fake = fake
        self.within = lambda: None

    def on_assign(self, partitions):
        self.fake.calls.append(("on_assign", partitions))
        self.within()

    def on_revoke(self, partitions, lost):
        self.fake.calls.append(("on_revoke", partitions, lost))
        self.within()


@pytest.fixture
def callables(fake):
    return Callables(fake)


@pytest.fixture
def p(fake, callables):
    listener = pykafarr.listener(
        "kafka:9092", "group", "t", "http://registry", on_assign=callables.on_assign, on_revoke=callables.on_revoke
    )
    yield listener
    callables.within = lambda: None
    listener.close()


POLL, GO_ON = ("poll", 1, 1000, 30000), ("poll", 0, 1000, 30000)


def test_the_library_waits_for_the_callables_that_there_are(fake):
    with pykafarr.listener("kafka:9092", "group", "t", "http://registry", on_revoke=print):
        assert (fake.settings["on_assign"], fake.settings["on_revoke"]) == (False, True)


@pytest.mark.parametrize("name", ["on_assign", "on_revoke"])
def test_what_is_not_callable_is_refused(fake, name):
    with pytest.raises(TypeError, match=f"{name} must be callable, not str"):
        pykafarr.listener("kafka:9092", "group", "t", "http://registry", **{name: "print"})
    assert not fake.settings


def test_the_callables_run_between_slices_and_the_library_goes_on_after_them(fake, p):
    def asks(rebalance):
        def answer(batch, _error):
            fake.rebalances.append(rebalance)
            batch.notices = 1
            return fake.pending(batch, _error)

        return answer

    fake.answers.extend([asks(assigned(0, 1)), asks(revoked(1)), asks(revoked(0, lost=True)), fake.batch(rows(1))])
    assert len(p.poll_batch()) == 1
    assert fake.calls == [
        POLL,
        ("on_assign", [TopicPartition("t", 0), TopicPartition("t", 1)]),
        ("rebalanced", [["t", 0], ["t", 1]]),
        GO_ON,
        ("on_revoke", [TopicPartition("t", 1)], False),
        ("rebalanced", [["t", 1]]),
        GO_ON,
        ("on_revoke", [TopicPartition("t", 0)], True),
        ("rebalanced", [["t", 0]]),
        GO_ON,
    ]


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
def test_an_exception_comes_out_of_poll_when_the_rebalance_is_done_and_the_next_poll_goes_on(fake, callables, p, error):
    def fail():
        raise error

    callables.within = fail
    fake.rebalances.append(revoked(0))
    fake.answers.extend([fake.pending, fake.batch(rows(1))])
    with pytest.raises(error):
        p.poll()
    assert fake.calls == [POLL, ("on_revoke", [("t", 0)], False), ("rebalanced", [["t", 0]])]
    assert p.poll()[1]["x"].tolist() == [1]
    assert fake.calls[3:] == [POLL]


def test_an_interrupt_before_the_callable_runs_leaves_it_to_the_next_poll(fake, p):
    fake.rebalances.append(revoked(0))
    fake.answers.extend([fake.interrupted(fake.pending), fake.pending, fake.batch(rows(1))])
    with pytest.raises(KeyboardInterrupt):
        p.poll()
    assert fake.calls == [POLL]
    p.poll()
    assert fake.calls[1:] == [POLL, ("on_revoke", [("t", 0)], False), ("rebalanced", [["t", 0]]), GO_ON]


def test_commit_works_within_a_callable_and_poll_does_not(fake, callables, p):
    def within():
        p.commit()
        with pytest.raises(pykafarr.StateError):
            p.poll()

    callables.within = within
    fake.rebalances.append(revoked(0))
    fake.answers.extend([fake.pending, fake.batch(rows(1))])
    p.poll()
    assert fake.calls[1:4] == [("on_revoke", [("t", 0)], False), ("commit", None), ("rebalanced", [["t", 0]])]


def test_close_runs_on_revoke_between_the_commit_and_the_end(fake, callables, p):
    callables.within = p.commit
    fake.leaving = [revoked(0, 1)]
    p.close()
    assert fake.calls == [
        ("leave", True),
        ("on_revoke", [("t", 0), ("t", 1)], False),
        ("commit", None),
        ("rebalanced", [["t", 0], ["t", 1]]),
        ("close", False),
        ("free",),
    ]
    p.close()
    assert fake.calls[-1] == ("free",)


def test_a_close_without_commit_acknowledges_nothing(fake, p):
    fake.leaving = [revoked(0)]
    p.close(commit=False)
    assert [call[:2] for call in fake.calls if call[0] in ("leave", "close")] == [("leave", False), ("close", False)]
    assert ("on_revoke", [("t", 0)], False) in fake.calls


def test_a_failed_commit_does_not_keep_close_from_telling_and_closing(fake, p):
    fake.waits.append(20)
    fake.leaving = [revoked(0)]
    with pytest.raises(pykafarr.KafarrError):
        p.close()
    assert [call[0] for call in fake.calls] == ["leave", "on_revoke", "rebalanced", "close", "free"]


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
def test_an_exception_comes_out_of_close_when_the_listener_is_closed(fake, callables, p, error):
    def fail():
        raise error

    callables.within = fail
    fake.leaving = [revoked(0)]
    with pytest.raises(error):
        p.close()
    assert fake.calls[-1] == ("free",)
    with pytest.raises(pykafarr.ClosedError):
        p.commit()


def test_the_first_failure_is_seen_when_on_revoke_fails_as_well(fake, callables, caplog):
    def fail(_partitions, _lost):
        raise LookupError("mine")

    fake.leaving = [revoked(0)]
    listener = pykafarr.listener("kafka:9092", "group", "t", "http://registry", on_revoke=fail)
    with pytest.raises(ValueError, match="first"), listener:
        raise ValueError("first")
    assert "closing after ValueError failed: mine" in caplog.text


def test_a_close_within_a_callable_tells_nothing_again(fake, callables, p):
    callables.within = p.close
    fake.rebalances.append(revoked(0))
    fake.leaving = [revoked(1)]
    fake.answers.append(fake.pending)
    with pytest.raises(pykafarr.ClosedError):
        p.poll()
    assert [call[0] for call in fake.calls] == ["poll", "on_revoke", "leave", "close", "free"]


def test_close_waits_for_the_callable_of_another_threads_poll(fake, callables, p):
    running, leave = threading.Event(), threading.Event()

    def within():
        running.set()
        assert leave.wait(10)

    callables.within = within
    fake.rebalances.append(revoked(0))
    fake.answers.append(fake.pending)

    def poll():
        with contextlib.suppress(pykafarr.ClosedError):
            p.poll()

    polling = threading.Thread(target=poll)
    polling.start()
    assert running.wait(10)
    threading.Timer(0.2, leave.set).start()
    p.close()
    polling.join(10)
    assert not polling.is_alive()
    names = [call[0] for call in fake.calls]
    assert names.index("rebalanced") < names.index("close")
    assert names.count("on_revoke") == 1


def test_what_on_assign_returns_goes_into_the_assignment(fake):
    places = {("t", 0): 7, "t": "latest", ("t", 5): pykafarr.Milliseconds(8)}
    fake.rebalances.append(assigned(0, 1))
    fake.answers.append(fake.pending)
    with pykafarr.listener("kafka:9092", "group", "t", "http://registry", on_assign=lambda _: places) as listener:
        listener.poll()
    begin = [["t", 0, "offset", 7], ["t", -1, "latest", 0], ["t", 5, "time", 8]]
    assert ("rebalanced", [["t", 0], ["t", 1]], begin) in fake.calls


@pytest.mark.parametrize(
    "returned", [7, ["t"], {("t", 0): -1}, {("t",): 1}, {("t", 0): "start"}, LookupError("mine")], ids=repr
)
def test_on_assign_is_called_again_until_it_returns_places(fake, returned):
    answers = [returned, None]

    def on_assign(_partitions):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    fake.rebalances.append(assigned(0))
    fake.answers.extend([fake.pending, fake.pending, fake.batch(rows(1))])
    with pykafarr.listener("kafka:9092", "group", "t", "http://registry", on_assign=on_assign) as listener:
        with pytest.raises((TypeError, ValueError, LookupError)):
            listener.poll()
        assert not any(call[0] == "rebalanced" for call in fake.calls)
        assert listener.poll()[1]["x"].tolist() == [1]
    assert ("rebalanced", [["t", 0]]) in fake.calls
