"""Listeners, frames, threads and the end of the interpreter."""

import pytest


def test_an_unclosed_listener_warns_and_the_process_ends(python):
    done = python(
        """
        kafka = MockKafka(topics=["t"])
        p = listen(kafka)
        produce(kafka, 1)
        assert len(p.poll(num_messages=1)[1]) == 1
        del p
        gc.collect()
        """,
        "-W", "always::ResourceWarning",
        timeout=30,
    )  # fmt: skip
    assert "ResourceWarning: <pykafarr.Listener group='group' topics=['t'] open> was never closed" in done.stderr


@pytest.mark.parametrize("polling", [False, True], ids=["idle", "while a daemon thread polls"])
def test_the_interpreter_exits_with_an_open_listener(python, polling):
    python(
        f"""
        kafka = MockKafka(topics=["t"])
        p = listen(kafka)
        produce(kafka, 1)
        p.poll(num_messages=1)
        if {polling}:
            threading.Thread(target=p.poll, daemon=True).start()
            time.sleep(0.3)
        """,
        timeout=30,
    )


def test_the_interpreter_exits_at_once_with_a_listener_without_a_broker(python):
    python(
        """
        p = pykafarr.listener("127.0.0.1:9", "group", "t", "http://127.0.0.1:9")
        """,
        timeout=20,
    )


def test_a_close_during_a_poll_ends_it_with_closed_error(python):
    python(
        """
        with MockKafka(topics=["t"]) as kafka:
            p, ends = listen(kafka), []
            produce(kafka, 1)
            p.poll(num_messages=1)
            def poll():
                try:
                    p.poll(max_time=60000)
                except BaseException as error:
                    ends.append(error)
            thread = threading.Thread(target=poll)
            thread.start()
            time.sleep(0.5)
            begun = time.monotonic()
            p.close()
            thread.join(5)
            assert not thread.is_alive()
            assert [type(end) for end in ends] == [pykafarr.ClosedError], ends
            assert time.monotonic() - begun < 5
        """
    )


def test_a_second_poll_at_once_is_a_state_error(python):
    python(
        """
        with MockKafka(topics=["t"]) as kafka, listen(kafka) as p:
            produce(kafka, 1)
            p.poll(num_messages=1)
            thread = threading.Thread(target=p.poll, kwargs={"max_time": 1000})
            thread.start()
            time.sleep(0.3)
            try:
                p.poll()
            except pykafarr.StateError:
                pass
            else:
                raise AssertionError("no StateError")
            thread.join()
            assert p.poll(max_time=0)[0] is None
        """
    )


def test_a_frame_outlives_its_listener_and_its_memory_is_given_back(python):
    python(
        """
        with MockKafka(topics=["t"]) as kafka:
            p = listen(kafka)
            produce(kafka, *range(1000))
            _, frame = p.poll(num_messages=1000)
            p.close()
            del p
        del kafka
        gc.collect()
        assert frame["x"].sum() == sum(range(1000))
        frame.loc[0, "x"] = 1
        assert frame["x"].sum() == sum(range(1000)) + 1
        column = frame["x"]
        del frame
        assert library().lib.kafarr_live_bytes() > 0
        assert column.iloc[-1] == 999
        del column
        gc.collect()
        assert library().lib.kafarr_live_bytes() == 0
        """
    )


def test_a_thousand_polls_leave_no_memory_behind(python):
    python(
        """
        with MockKafka(topics=["t"]) as kafka:
            produce(kafka, *range(1000))
            with listen(kafka) as p:
                for number in range(1000):
                    _, frame = p.poll(num_messages=1)
                    assert frame["x"].tolist() == [number]
                del frame
                assert p.poll(max_time=0)[0] is None
        gc.collect()
        assert library().lib.kafarr_live_bytes() == 0
        """
    )


def test_a_dead_broker_is_told_through_logging_and_not_on_stderr(python):
    done = python(
        """
        import logging
        records = []
        class Keep(logging.Handler):
            def emit(self, record):
                records.append(record)
        logging.getLogger("pykafarr").addHandler(Keep())
        with pykafarr.listener("127.0.0.1:9", "group", "t", "http://127.0.0.1:9", ready_timeout=1500) as p:
            try:
                p.poll(max_time=100)
            except pykafarr.BrokerError as error:
                print(error)
            else:
                raise AssertionError("no BrokerError")
        assert any("refused" in record.getMessage().lower() for record in records), records
        assert len(records) < 20, len(records)
        """
    )
    assert done.stderr == ""


def test_a_handle_is_freed_where_a_garbage_collection_comes_in_the_middle_of_cffis_work(python):
    """cffi's lock is held then by the very thread that frees."""
    python("""
        decoder = pykafarr.Decoder('"long"')
        with library().ffi._lock:
            del decoder
    """)
