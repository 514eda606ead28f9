"""The interpreter ends with status 0, whatever is still there and in whatever order it goes."""

import os

# How many endings are tried, each another: `make test-processes` asks for a hundred and more.
ENDINGS = int(os.environ.get("PYKAFARR_ENDINGS", "5"))


def test_the_interpreter_exits_with_status_0_in_every_order_of_its_objects(python):
    """Each ending is a child that was forked before the first use, so that it does not pay for the imports."""
    done = python(
        f"""
        import builtins, random
        import pandas, pyarrow, cffi

        class Cycle:
            def __init__(self, thing):
                self.thing, self.me = thing, self

        def live(seed):
            # What a program may have, and where it may keep it, drawn by lot.
            chance = random.Random(seed)
            kafka = MockKafka(topics=["t"])
            produce(kafka, *range(10))
            open_ = lambda: pykafarr.listener(
                kafka.servers, "group", None, kafka.registry_url, assign={{"t": [0]}}, start="earliest"
            )
            p, other = open_(), open_()
            first, second = p.poll_batch(num_messages=3), other.poll_batch(num_messages=3)
            things = {{
                "kafka": kafka, "listener": p, "other": other, "batch": first, "record": second.to_arrow(),
                "frame": first.to_pandas(copy=False), "owned": p.poll(num_messages=2)[1],
                "batches": p.batches(num_messages=2), "decoder": pykafarr.Decoder('"long"'), "exception": None,
                "producer": pykafarr.producer(kafka.servers, kafka.registry_url),
            }}
            things["report"] = things["producer"].send("A", pyarrow.table({{"x": [1]}}), "t")
            next(things["batches"])
            try:
                p.seek("t", 99, 0)
            except pykafarr.StateError as error:
                things["exception"] = error  # with the frames of its traceback
            del kafka, p, other, first, second, open_
            names = list(things)
            chance.shuffle(names)
            for name in names:
                thing = things.pop(name)
                match chance.randrange(7):
                    case 0:
                        del thing
                    case 1:
                        globals()[name] = thing
                    case 2:
                        setattr(builtins, "kept_" + name, thing)
                    case 3:
                        globals()["cycle_" + name] = Cycle(thing)
                    case 4:
                        Cycle(thing)  # garbage, until a collection finds it
                    case 5:
                        sys.modules["kept." + name] = thing
                    case 6:
                        local = threading.local()
                        local.thing = thing
                        sleep = lambda kept, local: time.sleep(1000)
                        threading.Thread(target=sleep, args=(thing, local), daemon=True).start()
                thing = None
                if not chance.randrange(4):
                    gc.collect()
            if not chance.randrange(3):
                gc.disable()

        failed = []
        for seed in range({ENDINGS}):
            child = os.fork()
            if child == 0:
                live(seed)
                sys.exit(0)
            deadline = time.monotonic() + 30
            while not (ended := os.waitpid(child, os.WNOHANG))[0]:
                if time.monotonic() > deadline:
                    os.kill(child, signal.SIGABRT)
                time.sleep(0.005)
            if os.waitstatus_to_exitcode(ended[1]):
                failed.append((seed, os.waitstatus_to_exitcode(ended[1])))
        assert not failed, failed
        print("{ENDINGS} endings of the interpreter: all with status 0")
        """,
        "-W", "ignore",  # unclosed listeners and producers warn, as they should
        "-X", "faulthandler",
        timeout=60 + 5 * ENDINGS,
    )  # fmt: skip
    print(done.stdout, end="")
    assert "Exception ignored" not in done.stderr, done.stderr
