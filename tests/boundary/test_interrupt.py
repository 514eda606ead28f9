"""Ctrl-C: answered at once, and no row is lost."""


def test_an_interrupt_during_a_poll_is_answered_and_the_rows_come_with_the_next(python):
    python(
        """
        with MockKafka(topics=["t"]) as kafka, listen(kafka) as p:
            produce(kafka, 0)
            p.poll(num_messages=1)
            produce(kafka, 1, 2, 3)
            sent = []
            def interrupt():
                sent.append(time.monotonic())
                os.kill(os.getpid(), signal.SIGINT)
            threading.Timer(2, interrupt).start()
            try:
                p.poll(num_messages=100, max_time=30000)
            except KeyboardInterrupt:
                waited = time.monotonic() - sent[0]
            assert waited < 1, waited
            print(waited)
            begun = time.monotonic()
            assert p.poll(num_messages=3, max_time=30000)[1]["x"].tolist() == [1, 2, 3]
            assert time.monotonic() - begun < 1
        """
    )


def test_many_interrupts_lose_and_repeat_nothing(python):
    python(
        """
        PACKAGE = os.path.dirname(pykafarr.__file__)

        class Interrupt(BaseException):
            pass

        def handler(number, frame):
            # What strikes outside the package is the program's own business.
            if frame.f_code.co_filename.startswith(PACKAGE):
                raise Interrupt

        def disturb():
            while not stop.wait(0.001):
                os.kill(os.getpid(), signal.SIGINT)

        with MockKafka(topics=["t"]) as kafka, listen(kafka) as p:
            for first in range(0, 20000, 5000):
                produce(kafka, *range(first, first + 5000))
            p.poll(num_messages=1)  # the group is joined
            signal.signal(signal.SIGINT, handler)
            stop, seen, interrupts = threading.Event(), 1, 0
            thread = threading.Thread(target=disturb, daemon=True)
            thread.start()
            while seen < 20000:
                try:
                    batch = p.poll_batch(num_messages=min(17, 20000 - seen), max_time=1000)
                except Interrupt:
                    interrupts += 1
                    continue
                numbers = batch._record["x"].to_pylist()  # without a call into the package, which may be interrupted
                assert numbers == list(range(seen, seen + len(numbers))), (numbers, seen)
                seen += len(numbers)
            stop.set()
            thread.join()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            assert interrupts > 10, interrupts
        """,
        timeout=120,
    )


def test_an_interrupt_during_close_leaves_the_rest_to_the_background(python):
    python(
        """
        # A broker that never answers: close() has to wait.
        p = pykafarr.listener("127.0.0.1:9", "group", "t", "http://127.0.0.1:9")
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        begun = time.monotonic()
        try:
            p.poll(max_time=30000)
        except KeyboardInterrupt:
            pass
        p.close()
        assert time.monotonic() - begun < 10
        """
    )


def test_an_interrupt_is_answered_while_a_dead_letter_cannot_be_written(python):
    python(
        """
        def interrupted(work):
            sent = []
            def interrupt():
                sent.append(time.monotonic())
                os.kill(os.getpid(), signal.SIGINT)
            threading.Timer(0.5, interrupt).start()
            try:
                work()
            except KeyboardInterrupt:
                waited = time.monotonic() - sent[0]
            assert waited < 1, waited

        options = {"errors": "skip", "dead_letter_topic": "missing", "config": {"allow.auto.create.topics": False}}
        with MockKafka(topics=["t"]) as kafka:
            p = listen(kafka, **options)
            produce(kafka, 0)
            kafka.produce_raw("t", [b"no framing"])
            assert p.poll(num_messages=1)[1]["x"].tolist() == [0]
            while not p.stats()["skipped"]:
                p.poll(max_time=10)
            interrupted(p.commit)
            interrupted(lambda: p.poll(max_time=30000))
            p.close(commit=False)
        """
    )
