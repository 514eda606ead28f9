"""Listeners and producers that are opened and closed again and again leave nothing behind."""

import os

from .test_panic import LIBRARY

# How often one is opened and closed: `make test-processes` asks for 500.
CYCLES = int(os.environ.get("PYKAFARR_CYCLES", "40"))


def test_opening_and_closing_leaves_threads_descriptors_goroutines_and_handles_constant(python):
    done = python(
        f"""
        def count(place):
            return len(os.listdir(f"/proc/self/{{place}}"))

        def counted():
            gc.collect()
            lib = library().lib
            return {{
                "threads": count("task"), "descriptors": count("fd"), "goroutines": lib.kafarr_testing_goroutines(),
                "handles": lib.kafarr_testing_handles(), "bytes of columns": lib.kafarr_live_bytes(),
            }}

        with MockKafka(topics=["t"]) as kafka:
            produce(kafka, *range(10))
            def cycle(number):
                p = pykafarr.listener(
                    kafka.servers, "group", None, kafka.registry_url, assign={{"t": [0]}}, start="earliest",
                    errors="skip", key="avro", dead_letter_topic="letters", config={{"fetch.wait.max.ms": 10}},
                )
                match number % 5:  # in each state that a listener can be in
                    case 0:
                        p.poll_batch(num_messages=10, max_time=1000)
                        p.close()
                    case 1:
                        p.close()
                    case 2:
                        p.poll_batch(num_messages=10, max_time=1000)
                        p.position()
                        p.commit()
                        p.close(commit=False)
                    case 3:
                        p.poll_batch(num_messages=3, max_time=1000)  # with rows that are fetched and not returned
                        del p  # never closed: that is done in the background
                    case 4:
                        p.poll_batch(num_messages=1, max_time=0)
                        p.close()

            def settled(most):
                # What closes in the background, and connections of the registry's client, take a moment.
                deadline = time.monotonic() + 20
                while any((now := counted())[name] > most[name] for name in most) and time.monotonic() < deadline:
                    time.sleep(0.1)
                return now

            for number in range(20):
                cycle(number)
            time.sleep(1)
            before = counted()
            for number in range({CYCLES}):
                cycle(number)
            after = settled(before)
            print(f"{CYCLES} cycles: before {{before}}, after {{after}}")
            # Go keeps the operating system's threads that it once needed, and makes another one when all of them are
            # in C at once: a few, but not one for each listener.
            assert after["threads"] <= before["threads"] + 8, (before, after)
            assert all(after[name] <= before[name] for name in before if name != "threads"), (before, after)
        """,
        "-W", "ignore",  # those never closed warn
        PYKAFARR_LIBRARY=str(LIBRARY),
        timeout=60 + CYCLES,
    )  # fmt: skip
    print(done.stdout, end="")


def test_producers_leave_threads_descriptors_goroutines_and_handles_constant(python):
    """In each state that a producer can be in, also where what it does fails."""
    done = python(
        f"""
        import contextlib
        import pandas, pyarrow as pa

        def counted():
            gc.collect()
            lib = library().lib
            return {{
                "descriptors": len(os.listdir("/proc/self/fd")), "goroutines": lib.kafarr_testing_goroutines(),
                "handles": lib.kafarr_testing_handles(), "bytes of columns": lib.kafarr_live_bytes(),
                "bytes of arrow": pa.total_allocated_bytes(),
            }}

        with MockKafka(topics=["t"]) as kafka:
            produce(kafka, *range(10))
            good, bad = pandas.DataFrame({{"x": [1, 2]}}), pandas.DataFrame({{"x": pandas.array([1, None], "Int64")}})
            def cycle(number):
                named = {{"transactional_id": "one"}} if number % 6 == 4 else {{}}
                out = pykafarr.producer(kafka.servers, kafka.registry_url, **named)
                match number % 6:
                    case 0:
                        out.send("A", good, "t", wait=True)
                        out.close()
                    case 1:
                        with contextlib.suppress(pykafarr.EncodeError), out:
                            out.send("A", good, "t")
                            out.send("A", bad, "t")
                    case 2:
                        out.send("A", good, "t")
                        del out  # never closed
                    case 3:
                        for options in ({{"partition": "x"}}, {{"key": "no"}}, {{"subject": "record"}}):
                            with contextlib.suppress(pykafarr.KafarrError):
                                out.send("A", good, "t", **options)
                        report = out.send("A", good, "t")
                        out.close()
                        assert report.written == 2
                    case 4:
                        with contextlib.suppress(ZeroDivisionError), out:
                            with out.transaction() as t:
                                t.send("A", good, "t")
                            with out.transaction() as t:
                                t.send("A", good, "t")
                                1 / 0
                    case 5:
                        out.close()
                        pykafarr.write(good, kafka.servers, "t", kafka.registry_url, message_type="A")

            def settled(most):
                deadline = time.monotonic() + 20
                while any((now := counted())[name] > most[name] for name in most) and time.monotonic() < deadline:
                    time.sleep(0.1)
                return now

            for number in range(18):
                cycle(number)
            time.sleep(1)
            before = counted()
            for number in range({CYCLES}):
                cycle(number)
            after = settled(before)
            print(f"{CYCLES} cycles: before {{before}}, after {{after}}")
            assert all(after[name] <= before[name] for name in before), (before, after)
        """,
        "-W", "ignore",  # those never closed warn
        PYKAFARR_LIBRARY=str(LIBRARY),
        timeout=60 + CYCLES,
    )  # fmt: skip
    print(done.stdout, end="")
