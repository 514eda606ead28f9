"""Ctrl-C: answered at once, and no row is lost."""


def test_an_interrupt_during_a_poll_is_answered_and_the_rows_come_with_the_next(python):
    python(
        """
        with MockKafka(topics=["t"]) as kafka, listen(kafka) as p:
            produce(kafka, 0)
            p.poll(num_messages=1)
            produce(kafka, 1, 2, 3)
            interrupted(lambda: p.poll(num_messages=100, max_time=30000), 2)
            begun = time.monotonic()
            assert p.poll(num_messages=3, max_time=30000)[1]["x"].tolist() == [1, 2, 3]
            assert time.monotonic() - begun < 1
        """
    )


def test_many_interrupts_lose_and_repeat_nothing(python):
    python(
        """
        with MockKafka(topics=["t"]) as kafka, listen(kafka) as p:
            for first in range(0, 20000, 5000):
                produce(kafka, *range(first, first + 5000))
            p.poll(num_messages=1)  # the group is joined
            seen, interrupts = 1, 0
            with Disturbed():
                while seen < 20000:
                    try:
                        batch = p.poll_batch(num_messages=min(17, 20000 - seen), max_time=1000)
                    except Interrupt:
                        interrupts += 1
                        continue
                    numbers = batch._record["x"].to_pylist()  # no call into the package, which may be interrupted
                    assert numbers == list(range(seen, seen + len(numbers))), (numbers, seen)
                    seen += len(numbers)
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


COSTLY = """
    # A body of a megabyte has 30 million values, most of which take no byte.
    item = {"type": "record", "name": "Item", "fields": [{"name": "b", "type": "boolean"}]}
    item["fields"] += [{"name": f"f{n}", "type": "null"} for n in range(29)]
    fields = [{"name": "x", "type": "long"}, {"name": "l", "type": {"type": "array", "items": item}}]
    costly = {"type": "record", "name": "L", "fields": fields}

    def body(number, items):
        count, out = 2 * items, bytearray([2 * number])
        while count > 127:
            out.append(count & 127 | 128)
            count >>= 7
        return bytes(out) + bytes([count]) + b"\\1" * items + b"\\0"
"""


def test_an_interrupt_is_answered_while_many_bodies_are_decoded_and_the_decoder_stays_of_use(python):
    python(
        COSTLY
        + """
    decoder = pykafarr.Decoder(costly)
    # Many bodies that take some tenths of a second, and one that takes many seconds, for which the limits are raised.
    interrupted(lambda: decoder.decode([body(1, 1_000_000)] * 60), 0.2)
    patient = pykafarr.Decoder(costly, limits={"message_steps": 2**31 - 1, "block_items": 2**31 - 1})
    interrupted(lambda: patient.decode([body(1, 30_000_000)]), 0.2)
    assert decoder.stats()["rows"] == patient.stats()["rows"] == 0
    assert decoder.decode([body(7, 3)])["x"].to_pylist() == [7]
    assert patient.decode([body(8, 3)])["x"].to_pylist() == [8]
    """
    )


def test_an_interrupt_is_answered_while_a_message_is_decoded_and_its_row_comes_with_the_next_poll(python):
    python(
        COSTLY
        + """
    with MockKafka(topics=["t"]) as kafka:
        schema_id = kafka.produce("t", costly, [{"x": 0, "l": []}])
        head = b"\\0" + schema_id.to_bytes(4, "big")
        kafka.produce_raw("t", [head + body(n, 800_000) for n in range(1, 4)] * 10)
        with listen(kafka) as p:
            interrupted(lambda: [p.poll(num_messages=31, max_time=60_000)], 1.5)
            rows = []
            while len(rows) < 7:
                message_type, frame = p.poll(num_messages=7 - len(rows), max_time=100)
                rows += frame["x"].tolist() if message_type else []
            assert rows == [0, 1, 2, 3, 1, 2, 3], rows
            begun = time.monotonic()
            p.poll(num_messages=31, max_time=0)
            assert time.monotonic() - begun < 1
        stream = pykafarr.read(kafka.servers, "t", kafka.registry_url)
        interrupted(lambda: stream.to_arrow("L"), 0.3)
        begun = time.monotonic()
        stream.close()
        assert time.monotonic() - begun < 1
    """
    )
