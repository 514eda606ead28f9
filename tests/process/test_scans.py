"""Streams of scans and what may happen to their process: Ctrl-C, forks, threads, and being dropped half-way."""

FILL = """
        def fill(kafka, count=20000):
            for first in range(0, count, 5000):
                kafka.produce("t", SCHEMA, [{"x": number} for number in range(first, first + 5000)], partition=0)

        def plan(kafka, **options):
            return pykafarr.scan(kafka.servers, "t", kafka.registry_url, **options)
"""


def test_an_interrupt_is_answered_while_nothing_comes(python):
    python(
        FILL
        + """
        with MockKafka(topics=["t"]) as kafka:
            fill(kafka, 5000)
            planned = plan(kafka)
        stream = planned.read()  # of a broker that is gone
        interrupted(lambda: next(stream), 1)
        begun = time.monotonic()
        stream.close()
        assert time.monotonic() - begun < 2
        """
    )


def test_many_interrupts_lose_and_repeat_nothing(python):
    python(
        FILL
        + """
        with MockKafka(topics=["t"]) as kafka:
            fill(kafka)
            stream = plan(kafka, num_messages=10).read()
            seen, interrupts = 0, 0
            with Disturbed():
                while seen < 20000:
                    try:
                        batch = next(stream)
                    except Interrupt:
                        interrupts += 1
                        continue
                    numbers = batch._record["x"].to_pylist()  # no call into the package, which may be interrupted
                    assert numbers == list(range(seen, seen + len(numbers))), (numbers, seen)
                    seen += len(numbers)
            assert interrupts > 10, interrupts
            assert next(stream, None) is None
        """,
        timeout=120,
    )


def test_a_forked_child_gets_fork_error_and_the_parent_reads_on(python):
    python(
        FILL
        + """
        with MockKafka(topics=["t"]) as kafka:
            fill(kafka, 5000)
            planned = plan(kafka, num_messages=100)
            stream = planned.read()
            next(stream)
            child = os.fork()
            if child == 0:
                answers = 0
                calls = (lambda: next(stream), stream.close, planned.read, planned.tasks()[0].read, lambda: plan(kafka))
                for call in calls:
                    try:
                        call()
                    except pykafarr.ForkError:
                        answers += 1
                del stream
                gc.collect()
                os._exit(0 if answers == 5 else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert sum(len(batch) for batch in stream) == 4900
        """,
        "-W", "ignore",  # Python 3.12 warns of fork in a process with threads: that is what is tried here
    )  # fmt: skip


def test_of_two_threads_each_row_goes_to_one_and_the_other_is_told_to_wait(python):
    python(
        FILL
        + """
        sys.setswitchinterval(1e-5)
        with MockKafka(topics=["t"]) as kafka:
            fill(kafka)
            stream = plan(kafka, num_messages=10).read()
            seen, refused, wrong = [[], []], [0, 0], []
            def take(which):
                while True:
                    try:
                        seen[which] += next(stream).to_arrow()["x"].to_pylist()
                    except pykafarr.StateError:
                        refused[which] += 1
                    except StopIteration:
                        return
                    except BaseException as error:
                        wrong.append(error)
                        return
            threads = [threading.Thread(target=take, args=[which]) for which in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert wrong == [], wrong
            assert sorted(seen[0] + seen[1]) == list(range(20000))
            assert all(one == sorted(one) for one in seen)
        """
    )


def test_a_stream_may_be_closed_while_another_thread_waits_for_it(python):
    python(
        FILL
        + """
        with MockKafka(topics=["t"]) as kafka:
            fill(kafka, 5000)
            planned = plan(kafka)
        stream, ended = planned.read(), []  # of a broker that is gone
        def wait():
            try:
                next(stream)
            except BaseException as error:
                ended.append(type(error))
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.3)
        stream.close()
        thread.join(5)
        assert ended == [pykafarr.ClosedError], ended
        """
    )


def test_streams_that_are_dropped_half_way_free_everything(python):
    python(
        FILL
        + """
        live_bytes = library().lib.kafarr_live_bytes
        def threads():
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("Threads"))
        with MockKafka(topics=["t"]) as kafka:
            fill(kafka)
            planned = plan(kafka, num_messages=100)
            for turn in range(50):
                stream = planned.read()
                if turn % 3 == 1:
                    reader = stream.reader()
                    reader.read_next_batch()
                    del reader
                else:
                    next(stream)
                if turn % 3 == 0:
                    stream.close()
                del stream
                if turn == 10:
                    before = threads()
            gc.collect()
            deadline = time.monotonic() + 10
            while live_bytes() and time.monotonic() < deadline:
                time.sleep(0.01)
            assert live_bytes() == 0, live_bytes()
            assert threads() < before + 10, (before, threads())
        """
    )


def test_a_process_may_end_in_the_midst_of_a_stream(python):
    python(
        FILL
        + """
        with MockKafka(topics=["t"]) as kafka:
            fill(kafka)
            stream = plan(kafka, num_messages=100).read()
            next(stream)
            print("done")
        """,
        "-X", "dev",
    )  # fmt: skip
