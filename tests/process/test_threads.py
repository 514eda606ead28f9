"""Two threads on one listener: each call works, or says clearly why not."""

# Without the group's protocol, and with short fetches, a seek takes milliseconds.
OPEN = """
        def open_listener(kafka):
            where = {"assign": {"t": [0]}, "start": "earliest"}
            config = {"fetch.wait.max.ms": 5}
            return pykafarr.listener(kafka.servers, "group", None, kafka.registry_url, **where, config=config)
"""


def test_every_pair_of_methods_may_be_called_by_two_threads_at_once(python):
    done = python(
        OPEN
        + """
        import itertools, pandas
        sys.setswitchinterval(1e-5)
        allowed = (pykafarr.StateError,)  # another thread is polling

        with MockKafka(topics=["t"]) as kafka:
            produce(kafka, *range(200))
            p = open_listener(kafka)
            held = [p.poll_batch(num_messages=5)]
            def poll_batch():
                batch = p.poll_batch(num_messages=3, max_time=2)
                if batch is None:
                    p.seek("t", 0, 0)
                else:
                    held.append(batch)
            methods = {
                "poll": lambda: p.poll(num_messages=3, max_time=2),
                "poll_batch": poll_batch,
                "batches": lambda: next(p.batches(num_messages=3, max_time=2, idle_timeout=1), None),
                "commit": p.commit,
                "commit(batch)": lambda: p.commit(held[-1]),
                "seek": lambda: p.seek("t", 0, 10),
                "pause": p.pause,
                "resume": p.resume,
                "position": p.position,
                "committed": p.committed,
                "lag": p.lag,
                "assignment": p.assignment,
                "stats": p.stats,
                "repr": lambda: repr(p),
            }
            wrong, refused, calls = [], 0, 0
            def work(name, barrier):
                global refused, calls
                barrier.wait()
                for _ in range(3):
                    try:
                        methods[name]()
                    except allowed:
                        refused += 1
                    except BaseException as error:
                        wrong.append((name, repr(error)))
                    calls += 1
            pairs = list(itertools.combinations_with_replacement(methods, 2))
            for pair in pairs:
                barrier = threading.Barrier(2)
                threads = [threading.Thread(target=work, args=(name, barrier)) for name in pair]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(20)
                    assert not thread.is_alive(), f"{pair} hangs"
                assert not wrong, (pair, wrong)
                p.resume()
            assert refused, "no two polls met"
            p.close()
            held.clear()
        gc.collect()
        assert library().lib.kafarr_live_bytes() == 0
        print(f"{len(pairs)} pairs of methods, {calls} calls: {refused} refused with StateError, 0 wrong")
        """,
        timeout=120,
    )
    print(done.stdout, end="")


def test_a_close_in_the_middle_of_other_threads_calls_ends_each_with_closed_error(python):
    python(
        OPEN
        + """
        import pandas
        sys.setswitchinterval(1e-5)
        with MockKafka(topics=["t"]) as kafka:
            produce(kafka, *range(50))
            for turn in range(4):
                p = open_listener(kafka)
                p.poll_batch(num_messages=1)
                calls = [
                    lambda: p.poll(num_messages=3, max_time=5), lambda: p.poll_batch(num_messages=3, max_time=5),
                    lambda: p.seek("t", 0, 0), p.commit, p.pause, p.resume, p.position, p.committed, p.lag,
                    p.assignment, p.stats,
                ]
                ends = {}
                def work(number, call):
                    while True:
                        try:
                            call()
                        except pykafarr.ClosedError as error:
                            ends[number] = error
                            return
                        except pykafarr.StateError:
                            pass
                        except BaseException as error:
                            ends[number] = error
                            return
                threads = [threading.Thread(target=work, args=pair) for pair in enumerate(calls)]
                for thread in threads:
                    thread.start()
                time.sleep(0.02 * turn)
                closers = [threading.Thread(target=p.close) for _ in range(2)]
                for thread in closers:
                    thread.start()
                for thread in closers + threads:
                    thread.join(20)
                    assert not thread.is_alive()
                assert {type(end) for end in ends.values()} == {pykafarr.ClosedError}, ends
                del calls, ends, threads
                time.sleep(0.1)
        """
    )
