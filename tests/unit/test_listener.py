"""The listener against a scripted library: what it hands over, keeps, acknowledges and refuses."""

import gc
import json
import threading
import time
from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pytest

import pykafarr


def rows(*numbers: int) -> pa.RecordBatch:
    schema = pa.schema([pa.field("x", pa.int64(), nullable=False)])
    return pa.record_batch([pa.array(numbers, pa.int64())], schema=schema)


def numbers(batch: pykafarr.Batch | None) -> list[int] | None:
    return None if batch is None else batch.to_arrow()["x"].to_pylist()


@pytest.fixture
def p(fake):
    with pykafarr.listener("kafka:9092", "group", "t", "http://registry") as listener:
        yield listener


def test_the_settings_reach_the_library_as_json(fake, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy", "REQUEST_METHOD", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("SSL_CERT_DIR", "/certificates")
    with pykafarr.listener(
        ["a:1", "b:2"],
        "group",
        ["t", "u"],
        "http://registry",
        config={"enable.auto.commit": False},
        registry_config={"request.timeout.ms": 5},
        metadata={"offset": "position"},
        value="auto",
        key="avro",
        framing="single_object",
        schema=['"int"', {"type": "string"}],
        tombstones="keep",
        mixed="group",
        acknowledge="commit",
        errors="skip",
        dead_letter_topic="letters",
        reader_schema='"long"',
        columns=["a", "b.c"],
        unions="dense",
        recursion="json",
        out_of_range="null",
        limits={"columns": 5, "batch_bytes": 6, "schema_bytes": 8},
        memory_limit=7,
        ready_timeout=timedelta(seconds=2),
        schema_patience=0,
        rules="ignore",
    ):
        assert fake.settings == {
            "servers": "a:1,b:2",
            "group": "group",
            "topics": ["t", "u"],
            "assign": [],
            "start": [["", -1, "committed", 0]],
            "registry_url": "http://registry",
            "config": {"enable.auto.commit": "false"},
            "registry_config": {"request.timeout.ms": "5"},
            "environment": {"HTTPS_PROXY": "http://proxy:3128", "SSL_CERT_DIR": "/certificates"},
            "metadata": [["_offset", "position"], ["_key", "_key"]],
            "value": "auto",
            "key": "avro",
            "framing": "single_object",
            "schemas": [["", '"int"', ""], ["", '{"type": "string"}', ""]],
            "key_schemas": [],
            "tombstones": "keep",
            "mixed": "group",
            "acknowledge": "commit",
            "errors": "skip",
            "dead_letter_topic": "letters",
            "reader_schemas": ['"long"'],
            "columns": ["a", "b.c"],
            "unions": "dense",
            "recursion": "json",
            "out_of_range": "null",
            "unknown_members": "count",
            "timestamps": "us",
            "enums": "names",
            "formats": "typed",
            "message_type": "",
            "limits": {"columns": 5},
            "batch_bytes": 6,
            "schema_bytes": 8,
            "memory_limit": 7,
            "ready_timeout_ms": 2000,
            "schema_patience_ms": -1,
            "rules": "ignore",
            "rules_secret": "",
            "on_assign": False,
            "on_revoke": False,
            "oauth_token": False,
        }


def test_the_default_metadata_is_the_offset(fake, p):
    assert fake.settings["metadata"] == [["_offset", "_offset"]]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"servers": ""}, pykafarr.ConfigError),
        ({"servers": 9092}, TypeError),
        ({"group": ""}, pykafarr.ConfigError),
        ({"group": None}, TypeError),
        ({"topics": []}, pykafarr.ConfigError),
        ({"registry_url": ""}, pykafarr.ConfigError),
        ({"registry_url": 5}, TypeError),
        ({"value": "xml"}, pykafarr.ConfigError),
        ({"key": 5}, TypeError),
        ({"framing": "magic"}, pykafarr.ConfigError),
        ({"schema": 5}, TypeError),
        ({"tombstones": "drop"}, pykafarr.ConfigError),
        ({"mixed": "sort"}, pykafarr.ConfigError),
        ({"acknowledge": "never"}, pykafarr.ConfigError),
        ({"limits": {"no_such": 5}}, pykafarr.ConfigError),
        ({"limits": {"columns": 1.5}}, TypeError),
        ({"memory_limit": 0}, pykafarr.ConfigError),
        ({"memory_limit": 1e9}, TypeError),
        ({"config": {"a": None}}, TypeError),
        ({"metadata": ["offsets"]}, pykafarr.ConfigError),
        ({"errors": "ignore"}, pykafarr.ConfigError),
        ({"dead_letter_topic": ""}, pykafarr.ConfigError),
        ({"dead_letter_topic": ["a"]}, TypeError),
        ({"reader_schema": 5}, TypeError),
        ({"reader_schema": {"com.example.A": '"long"'}}, pykafarr.ConfigError),
        ({"columns": [""]}, pykafarr.ConfigError),
        ({"columns": b"a"}, TypeError),
        ({"unions": None}, TypeError),
        ({"recursion": False}, TypeError),
        ({"out_of_range": None}, TypeError),
        ({"ready_timeout": 1.5}, TypeError),
        ({"schema_patience": -1}, pykafarr.ConfigError),
        ({"rules": None}, TypeError),
        ({"rules": "skip"}, pykafarr.ConfigError),
        ({"dtype_backend": "arrow"}, pykafarr.ConfigError),
    ],
    ids=str,
)
def test_a_wrong_argument_is_refused_before_the_library_sees_it(fake, wrong, kind):
    given = {"servers": "a:1", "group": "g", "topics": "t", "registry_url": "http://registry"} | wrong
    with pytest.raises(kind, match=next(iter(wrong))):
        pykafarr.listener(**given)
    assert not fake.settings


def test_a_poll_gives_the_message_type_and_a_frame(fake, p):
    fake.answers.append(fake.batch(rows(1, 2), "com.example.A"))
    message_type, frame = p.poll(num_messages=10, max_time=timedelta(seconds=1))
    assert message_type == "com.example.A"
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"x": [1, 2]}))
    assert fake.calls == [("poll", 1, 10, 1000)]


def test_a_quiet_poll_gives_none_and_an_empty_frame(p):
    message_type, frame = p.poll()
    assert message_type is None
    assert frame.shape == (0, 0)
    assert p.poll_batch() is None


def test_a_polled_frame_can_be_changed_in_place(fake, p):
    fake.answers.append(fake.batch(rows(1, 2)))
    _, frame = p.poll()
    frame.loc[0, "x"] = 7
    assert frame["x"].tolist() == [7, 2]


def test_a_poll_goes_on_in_slices_until_something_is_there(fake, p):
    fake.answers.extend([fake.pending, fake.pending, fake.batch(rows(1))])
    assert numbers(p.poll_batch()) == [1]
    assert [call[1] for call in fake.calls] == [1, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"num_messages": 0}, pykafarr.ConfigError),
        ({"num_messages": 2**31}, pykafarr.ConfigError),
        ({"num_messages": 1.0}, TypeError),
        ({"num_messages": True}, TypeError),
        ({"max_time": -1}, pykafarr.ConfigError),
        ({"max_time": 1.5}, TypeError),
    ],
    ids=str,
)
def test_a_wrong_argument_of_poll_is_refused(fake, p, arguments, kind):
    for poll in (p.poll, p.poll_batch, lambda **given: next(p.batches(**given))):
        with pytest.raises(kind, match=next(iter(arguments))):
            poll(**arguments)
    assert fake.calls == []


def test_an_interrupt_between_slices_is_answered_and_the_next_poll_begins_again(fake, p):
    fake.answers.extend([fake.pending, fake.interrupted(fake.pending), fake.batch(rows(1))])
    with pytest.raises(KeyboardInterrupt):
        p.poll_batch()
    assert numbers(p.poll_batch()) == [1]
    assert [call[1] for call in fake.calls] == [1, 0, 1]


def test_an_interrupt_as_rows_arrive_keeps_them_for_the_next_poll(fake, p):
    fake.answers.extend([fake.interrupted(fake.batch(rows(1, 2))), fake.batch(rows(3))])
    with pytest.raises(KeyboardInterrupt):
        p.poll()
    assert p.poll()[1]["x"].tolist() == [1, 2]
    # Not begun again in between: that would have acknowledged rows that nobody had seen.
    assert len(fake.calls) == 1
    assert p.poll()[1]["x"].tolist() == [3]


def test_an_interrupt_as_an_error_arrives_keeps_it_for_the_next_poll(fake, p):
    fake.answers.append(fake.interrupted(fake.error("DecodeError", "t[3]@1042: bad")))
    with pytest.raises(KeyboardInterrupt):
        p.poll()
    with pytest.raises(pykafarr.DecodeError):
        p.poll()
    assert p.poll()[0] is None


@pytest.mark.parametrize("step", ["take_records", "info"])
def test_an_interrupt_while_rows_are_taken_keeps_them(fake, p, monkeypatch, step):
    fake.answers.append(fake.batch(rows(1, 2)))
    taken = getattr(pykafarr._library.slot.Slot, step)

    def interrupted(slot):
        taken(slot)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pykafarr._library.slot.Slot, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            p.poll_batch()
    assert numbers(p.poll_batch()) == [1, 2]


def test_rows_that_make_no_frame_are_not_lost(fake, p, monkeypatch):
    fake.answers.append(fake.batch(rows(1, 2)))
    with monkeypatch.context() as patch:
        patch.setattr("pykafarr._batches.to_pandas.to_frame", lambda *_: 1 / 0)
        with pytest.raises(pykafarr.KafarrError, match="poll_batch") as info:
            p.poll()
    assert isinstance(info.value.__cause__, ZeroDivisionError)
    assert numbers(p.poll_batch()) == [1, 2]


def test_undelivered_rows_are_not_acknowledged(fake, p):
    fake.answers.append(fake.interrupted(fake.batch(rows(1))))
    with pytest.raises(KeyboardInterrupt):
        p.poll()
    p.commit()
    p.close()
    assert fake.calls[1:] == [("commit", {"ids": []}), ("close", False), ("free",)]


def test_an_error_carries_its_place(fake, p):
    fake.answers.append(fake.error("DecodeError", "t[3]@1042: bad"))
    with pytest.raises(pykafarr.DecodeError) as info:
        p.poll()
    error = info.value
    assert str(error) == "t[3]@1042: bad"
    assert (error.topic, error.partition, error.offset, error.schema_id, error.path) == ("t", 3, 1042, None, None)
    assert p.poll()[0] is None


def test_an_unknown_error_code_is_an_internal_error(fake, p):
    fake.answers.append(lambda batch, error: 99)
    with pytest.raises(pykafarr.InternalError, match="code 99"):
        p.poll()


def test_a_second_poll_at_once_is_refused(fake, p):
    polling, done = threading.Event(), threading.Event()

    def slow(batch, error):
        polling.set()
        assert done.wait(10)
        return 0

    fake.answers.append(slow)
    thread = threading.Thread(target=p.poll)
    thread.start()
    assert polling.wait(10)
    with pytest.raises(pykafarr.StateError, match="being polled already"):
        p.poll()
    done.set()
    thread.join()
    assert p.poll()[0] is None


def test_batches_end_after_the_idle_timeout(fake, p):
    fake.answers.extend([fake.batch(rows(1)), fake.quiet, fake.batch(rows(2)), fake.quiet, fake.quiet, fake.quiet])
    found = [numbers(batch) for batch in p.batches(max_time=400, idle_timeout=1000)]
    assert found == [[1], [2]]
    assert [call[3] for call in fake.calls] == [400, 400, 400, 400, 400, 200]


def test_batches_do_not_end_where_the_cluster_does_not_answer(fake, p):
    fake.answers.extend([fake.batch(rows(1)), fake.quiet])
    fake.waits.append(11)
    found = p.batches(max_time=400, idle_timeout=400)
    assert numbers(next(found)) == [1]
    with pytest.raises(pykafarr.BrokerError):
        next(found)


def test_batches_do_not_end_before_the_end_of_the_log(fake, p):
    """A network that is slow brings nothing for a while, and the brokers say that there is more."""
    fake.answers.extend([fake.batch(rows(1)), fake.quiet, fake.quiet, fake.batch(rows(2)), fake.quiet])
    fake.results.extend([[["t", 0, 6, 7, 1, False]], [["t", 0, 6, 7, 1, False]], [["t", 0, 7, 7, 0, False]]])
    assert [numbers(batch) for batch in p.batches(max_time=400, idle_timeout=400)] == [[1], [2]]


def test_rows_of_paused_partitions_are_not_waited_for(fake, p):
    fake.answers.extend([fake.batch(rows(1)), fake.quiet])
    fake.results.append([["t", 0, 6, 7, 1, True]])
    assert [numbers(batch) for batch in p.batches(max_time=400, idle_timeout=400)] == [[1]]


def test_rows_that_never_come_are_an_error_that_names_their_places(fake):
    with pykafarr.listener("kafka:9092", "group", "t", "http://registry", ready_timeout=20) as p:
        fake.answers.append(fake.batch(rows(1)))
        fake.results.extend([[["t", 0, 6, 9, 3, False], ["u", 1, 5, 5, 0, False]]] * 5000)
        found = p.batches(max_time=100, idle_timeout=100)
        assert numbers(next(found)) == [1]
        with pytest.raises(pykafarr.BrokerError, match=r"no row has come .* t\[0\]@6 \(it ends at 9\)\. Polling again"):
            next(found)
        fake.results.clear()


def test_a_first_fetch_that_brings_nothing_is_an_error_where_the_log_has_rows(fake):
    def waiting(batch, _error):
        batch.waiting = 1
        time.sleep(0.002)
        return pykafarr._errors.OK

    with pykafarr.listener("kafka:9092", "group", "t", "http://registry", ready_timeout=20) as p:
        fake.answers.extend([waiting] * 1000)
        fake.results.extend([*[[]] * 20, *[[["t", 0, 0, 9, 9, False]]] * 1000])  # first it waits for its group
        with pytest.raises(pykafarr.BrokerError, match=r"no row has come .* t\[0\]@0 \(it ends at 9\)"):
            list(p.batches(max_time=100, idle_timeout=100))
        assert len(fake.results) < 1000
        fake.results.clear()


def test_places_that_move_without_rows_are_no_standstill(fake):
    def slowly(batch, error):
        time.sleep(0.002)
        return fake.quiet(batch, error)

    with pykafarr.listener("kafka:9092", "group", "t", "http://registry", ready_timeout=1) as p:
        fake.results.extend([["t", 0, place, 30, 30 - place, False]] for place in range(31))
        fake.answers.extend([slowly] * 31)
        assert list(p.batches(max_time=100, idle_timeout=100)) == []
        assert not fake.results


def test_batches_with_no_time_at_all_end_by_the_clock(fake, p):
    assert list(p.batches(max_time=0, idle_timeout=20)) == []
    assert len(fake.calls) > 1


def test_batches_without_an_idle_timeout_go_on(fake, p):
    fake.answers.extend([fake.quiet] * 50 + [fake.batch(rows(1))])
    assert numbers(next(p.batches())) == [1]


def test_a_commit_names_its_batch(fake, p):
    fake.answers.append(fake.batch(rows(1, 2)))
    batch = p.poll_batch()
    p.commit(batch)
    p.commit()
    assert fake.calls[1:] == [("commit", {"ids": [7], "ranges": [["t", 0, 5, 7]]}), ("commit", None)]
    with pytest.raises(TypeError, match="batch must be a Batch, not str"):
        p.commit("t")
    with pytest.raises(pykafarr.ConfigError, match="batch is not of this listener"):
        p.commit(pykafarr.Batch(batch.to_arrow(), "A", batch.ranges))


def test_an_interrupted_commit_ends_in_the_background(fake, p):
    fake.waits.extend([1, KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        p.commit()
    assert fake.calls == [("commit", None), ("forget", 9)]


def test_a_failed_commit_raises_its_error(fake, p):
    fake.waits.extend([1, 13])
    with pytest.raises(pykafarr.GroupError):
        p.commit()


def test_a_clean_block_acknowledges_what_was_returned(fake):
    with pykafarr.listener("a:1", "g", "t", "http://127.0.0.1:9"):
        pass
    assert fake.calls == [("close", True), ("free",)]


def test_a_block_left_by_an_exception_acknowledges_nothing(fake):
    with pytest.raises(ZeroDivisionError), pykafarr.listener("a:1", "g", "t", "http://127.0.0.1:9"):
        1 / 0  # noqa: B018
    assert fake.calls == [("close", False), ("free",)]


def test_a_failing_close_does_not_hide_the_first_exception(fake, caplog):
    fake.waits.append(11)
    with pytest.raises(ZeroDivisionError), pykafarr.listener("a:1", "g", "t", "http://127.0.0.1:9"):
        1 / 0  # noqa: B018
    assert "closing after ZeroDivisionError failed" in caplog.text


def test_a_failing_close_raises_and_frees_all_the_same(fake):
    fake.waits.append(11)
    p = pykafarr.listener("a:1", "g", "t", "http://127.0.0.1:9")
    with pytest.raises(pykafarr.BrokerError):
        p.close()
    assert fake.calls == [("close", True), ("free",)]
    p.close()
    assert len(fake.calls) == 2


def test_a_closed_listener_answers_closed_error(fake, p):
    p.close(commit=False)
    for call in (p.poll, p.poll_batch, p.commit, p.stats, p.__enter__, lambda: next(p.batches())):
        with pytest.raises(pykafarr.ClosedError, match="the listener is closed"):
            call()
    assert repr(p) == "<pykafarr.Listener group='group' topics=['t'] closed>"


def test_an_unclosed_listener_warns_and_is_freed(fake):
    p = pykafarr.listener("a:1", "g", "t", "http://127.0.0.1:9")
    with pytest.warns(ResourceWarning, match=r"<pykafarr.Listener group='g' topics=\['t'\] open> was never closed"):
        del p
    assert fake.calls == [("free",)]


def test_events_are_logged_as_they_come(fake, p, caplog):
    fake.notices = [{"kind": "log", "level": 3, "facility": "FAIL", "message": "down", "repeats": 0}]
    p.poll()
    assert caplog.messages == ["FAIL: down"]


def test_rejected_rows_have_a_place_in_batches_only(fake):
    with pykafarr.listener("a:1", "g", "t", "http://127.0.0.1:9", errors="collect") as p:
        with pytest.raises(pykafarr.ConfigError, match="use poll_batch"):
            p.poll()
        fake.answers.append(fake.batch(rows(1), rejected=rows(8, 9)))
        batch = p.poll_batch()
    assert numbers(batch) == [1]
    assert batch.rejected["x"].to_pylist() == [8, 9]


def test_a_batch_of_rejected_rows_only_is_still_a_batch(fake):
    with pykafarr.listener("a:1", "g", "t", "http://127.0.0.1:9", errors="collect") as p:
        fake.answers.append(fake.batch(rows(), rejected=rows(8)))
        batch = p.poll_batch()
    assert batch
    assert len(batch) == 0
    assert batch.rejected.num_rows == 1


def test_what_the_library_allocated_is_freed(fake, p):
    fake.answers.extend([fake.batch(rows(1)), fake.interrupted(fake.batch(rows(2))), fake.batch(rows(3))])
    p.poll()
    with pytest.raises(KeyboardInterrupt):
        p.poll()
    batches = [p.poll_batch(), p.poll_batch(), p.poll_batch()]
    assert [numbers(batch) for batch in batches] == [[2], [3], None]
    p.stats()
    p.close()
    gc.collect()
    assert fake.texts_alive == 0
    # The memory belongs to the batches now.
    before = pa.total_allocated_bytes()
    del batches
    assert pa.total_allocated_bytes() < before


def test_a_batch_never_taken_is_released(fake):
    before = pa.total_allocated_bytes()
    p = pykafarr.listener("a:1", "g", "t", "http://127.0.0.1:9")
    fake.answers.append(fake.interrupted(fake.batch(rows(*range(1000)))))
    with pytest.raises(KeyboardInterrupt):
        p.poll()
    fake.answers.clear()
    p.close()
    del p
    gc.collect()
    assert pa.total_allocated_bytes() == before
    assert fake.texts_alive == 0


def test_stats_are_a_dict_of_counters(p):
    assert p.stats() == {"rows": 3, "skipped": 0, "out_of_range": 0, "unknown_enums": 0, "unknown_members": 0}


def test_the_settings_hold_no_secret_in_repr(fake):
    with pykafarr.listener("a:1", "g", "t", "http://127.0.0.1:9", config={"sasl.password": "secret"}) as p:
        assert "secret" not in repr(p)
        assert json.dumps(fake.settings["config"]) == '{"sasl.password": "secret"}'
