"""Producers: interrupts, forks, threads, and the end of the interpreter."""

import pytest

from .test_signals import FROZEN

# A frame of the schema that the broker of FROZEN has, and of MockKafka's topic "t" once something was produced there.
FRAMES = """
import pyarrow as pa

def frame(first, count):
    return pa.table({"x": pa.array(range(first, first + count), pa.int64())})

def numbers(kafka, **options):
    with pykafarr.scan(kafka.servers, "t", kafka.registry_url, metadata=("partition", "offset"), **options).read() as s:
        return s.to_arrow("A").sort_by([("_partition", "ascending"), ("_offset", "ascending")])
"""


def test_every_wait_of_a_producer_answers_an_interrupt_while_the_broker_is_silent(python):
    done = python(
        FROZEN
        + FRAMES
        + """
def answers(name, wait):
    # Without the signal it would wait for minutes.
    print(f"{name} {interrupted(wait, name=name, most=5) * 1000:.0f} ms")

def fill():
    while True:
        out.send("A", frame(0, 100_000), "t")

def commit():
    with transactions.transaction() as t:
        t.send("A", frame(0, 1), "t")

def left():
    with others.transaction() as t:
        t.send("A", frame(0, 1), "t")
        time.sleep(30)

def begin():
    with late.transaction():
        pass

try:
    out = pykafarr.producer(servers, registry, memory_limit=1_000_000)
    transactions = pykafarr.producer(servers, registry, transactional_id="one")
    others = pykafarr.producer(servers, registry, transactional_id="three")
    with others.transaction() as t:
        t.send("A", frame(0, 1), "t")
    fresh = pykafarr.producer(servers, registry)
    out.send("A", frame(0, 1), "t", wait=True)
    commit()
    late = pykafarr.producer(servers, registry, transactional_id="two")
    freeze()
    report = out.send("A", frame(1, 1), "t")
    answers("wait", report.wait)
    answers("flush", out.flush)
    answers("send", fill)
    answers("schema", lambda: fresh.send("A", frame(0, 1), "t"))
    answers("partitions", lambda: fresh.send("bytes", pa.table({"value": [b"x"]}), "t"))
    answers("begin", begin)
    answers("commit", commit)  # the abort is waited for, but not for long
    answers("left block", left)
    answers("close", out.close)
    answers("close of a producer of transactions", transactions.close)
finally:
    broker.kill()
        """,
        "-W", "ignore",  # of producers that are not closed: the broker that they would wait for is gone
        timeout=120,
    )  # fmt: skip
    print(done.stdout, end="")


def test_rows_that_were_handed_over_before_an_interrupt_are_sent_and_the_others_are_not(python):
    python(
        FRAMES
        + """
with MockKafka(topics=["t"]) as kafka:
    produce(kafka, 0)
    with pykafarr.producer(kafka.servers, kafka.registry_url) as out:
        first, interrupts, whole = 1, 0, []
        with Disturbed():
            while interrupts < 50:
                first += 10
                rows = frame(first, 10)
                try:
                    out.send("A", rows, "t")
                except Interrupt:
                    interrupts += 1
                else:
                    whole += range(first, first + 10)
    found = numbers(kafka)["x"].to_pylist()
    assert found == sorted(set(found)), "rows came twice or in another order"
    assert set(found) >= set(whole), "rows of a send that had returned are missing"
    """,
        timeout=120,
    )


def test_a_forked_child_gets_fork_error_and_the_parent_continues(python):
    python(
        FRAMES
        + """
with MockKafka(topics=["t"]) as kafka:
    produce(kafka, 0)
    out = pykafarr.producer(kafka.servers, kafka.registry_url)
    report = out.send("A", frame(1, 3), "t")
    child = os.fork()
    if child == 0:
        begun, answers = time.monotonic(), 0
        calls = [
            lambda: out.send("A", frame(4, 1), "t"), out.flush, out.close, out.transaction, report.wait,
            lambda: report.done, lambda: report.ranges,
            lambda: pykafarr.producer(kafka.servers, None),
            lambda: pykafarr.write(frame(4, 1), kafka.servers, "t", kafka.registry_url),
        ]
        for call in calls:
            try:
                call()
            except pykafarr.ForkError:
                answers += 1
        repr(out), repr(report)
        del out, report, calls, call
        gc.collect()
        os._exit(0 if answers == 9 and time.monotonic() - begun < 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert report.wait().written == 3
    out.send("A", frame(4, 2), "t", wait=True)
    out.close()
    assert numbers(kafka)["x"].to_pylist() == [0, 1, 2, 3, 4, 5]
    """,
        "-W", "ignore",  # Python 3.12 warns of fork in a process with threads: that is what is tried here
    )  # fmt: skip


def test_several_threads_send_by_one_producer_and_each_keeps_its_order(python):
    python(
        FRAMES
        + """
sys.setswitchinterval(1e-5)
with MockKafka(topics={"t": 3}) as kafka:
    kafka.produce("t", SCHEMA, [{"x": -1}], partition=0)
    wrong = []
    with pykafarr.producer(kafka.servers, kafka.registry_url) as out:
        def work(number):
            try:
                for turn in range(50):
                    report = out.send("A", frame(number * 1_000_000 + turn * 100, 100), "t")
                    if turn % 10 == 0:
                        report.wait()
                    if turn % 7 == 0:
                        out.flush()
            except BaseException as error:
                wrong.append(error)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
    assert not wrong, wrong
    rows = numbers(kafka).to_pylist()
    assert sorted(row["x"] for row in rows) == [-1, *(n * 1_000_000 + x for n in range(4) for x in range(5000))]
    for number in range(4):
        for partition in range(3):
            mine = [r["x"] for r in rows if r["_partition"] == partition and r["x"] // 1_000_000 == number]
            assert mine == sorted(mine), (number, partition)
    """
    )


def test_a_close_in_the_middle_of_other_threads_sends_ends_each_and_no_row_that_was_taken_is_lost(python):
    python(
        FRAMES
        + """
sys.setswitchinterval(1e-5)
for turn in range(5):
    with MockKafka(topics=["t"]) as kafka:
        produce(kafka, -1)
        out = pykafarr.producer(kafka.servers, kafka.registry_url, memory_limit=200_000)
        taken, reports, ends = [], [], {}
        def work(number):
            first = number * 10_000_000
            while True:
                try:
                    reports.append(out.send("A", frame(first, 1000), "t"))
                except BaseException as error:
                    ends[number] = error
                    return
                taken.append(first)
                first += 1000
        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.05 + 0.05 * turn)
        closers = [threading.Thread(target=out.close) for _ in range(2)]
        for thread in closers:
            thread.start()
        for thread in closers + threads:
            thread.join(30)
            assert not thread.is_alive()
        assert {type(end) for end in ends.values()} <= {pykafarr.ClosedError, pykafarr.DeliveryError}, ends
        found = numbers(kafka)["x"].to_pylist()
        assert len(set(found)) == len(found), "rows came twice"
        whole = set(found)
        for report in reports:
            assert report.wait().written == 1000
        lost = [first for first in taken if not whole.issuperset(range(first, first + 1000))]
        assert not lost, lost
    """,
        timeout=120,
    )


def test_an_unclosed_producer_warns_and_is_freed(python):
    done = python(
        FRAMES
        + """
with MockKafka(topics=["t"]) as kafka:
    produce(kafka, 0)
    out = pykafarr.producer(kafka.servers, kafka.registry_url)
    report = out.send("A", frame(1, 10), "t", wait=True)
    del out
    gc.collect()
    assert report.written == 10  # what was known stays known
    assert numbers(kafka).num_rows == 11
gc.collect()
assert library().lib.kafarr_live_bytes() == 0
        """,
        "-W", "always::ResourceWarning",
        timeout=30,
    )  # fmt: skip
    assert "ResourceWarning: <pykafarr.Producer servers=" in done.stderr
    assert "open> was never closed: use `with`, or close(): rows on their way may be lost" in done.stderr


@pytest.mark.parametrize("sending", [False, True], ids=["idle", "while a daemon thread sends"])
def test_the_interpreter_exits_with_an_open_producer(python, sending):
    done = python(
        FRAMES
        + f"""
kafka = MockKafka(topics=["t"])
produce(kafka, 0)
out = pykafarr.producer(kafka.servers, kafka.registry_url)
report = out.send("A", frame(1, 10), "t")
def work():
    while True:
        out.send("A", frame(1, 10), "t")
if {sending}:
    threading.Thread(target=work, daemon=True).start()
    time.sleep(0.2)
        """,
        "-W", "ignore",
        timeout=30,
    )  # fmt: skip
    assert "Exception ignored" not in done.stderr


def test_the_interpreter_exits_at_once_with_rows_that_a_silent_broker_does_not_take(python):
    python(
        FROZEN
        + FRAMES
        + """
out = pykafarr.producer(servers, registry)
out.send("A", frame(0, 1), "t", wait=True)
freeze()
# Ends the broker after this process, which its closed pipe shows.
guard = subprocess.Popen(["sh", "-c", f"read line; kill -9 {broker.pid}"], stdin=subprocess.PIPE)
out.send("A", frame(1, 10), "t")
threading.Thread(target=out.flush, daemon=True).start()
time.sleep(0.2)
        """,
        "-W", "ignore",
        timeout=30,
    )  # fmt: skip
