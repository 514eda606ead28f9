"""on_assign and on_revoke, when a process does not end as it should."""

import pytest

# The second member's arrival takes a partition from the first.
TWO_MEMBERS = """
def join(kafka, **options):
    config = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 100, "partition.assignment.strategy": "range"}
    return pykafarr.listener(kafka.servers, "group", "t", kafka.registry_url,
                             config={"auto.offset.reset": "earliest", **config}, **options)

def poll_for_ever(p):
    try:
        while True:
            p.poll(num_messages=1, max_time=50)
    except pykafarr.ClosedError:
        pass

kafka = MockKafka(topics={"t": 2})
"""


def test_an_interrupt_in_on_revoke_is_answered_and_the_next_poll_goes_on(python):
    python(
        TWO_MEMBERS
        + """
begun = []
def on_revoke(partitions, lost):
    if not begun:
        begun.append(partitions)
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        time.sleep(60)

with join(kafka, on_revoke=on_revoke) as first:
    first.poll(max_time=0)
    second = join(kafka)
    threading.Thread(target=poll_for_ever, args=(second,), daemon=True).start()
    try:
        poll_for_ever(first)
    except KeyboardInterrupt:
        pass
    assert [partition.topic for partition in begun[0]] == ["t", "t"], begun
    for partition in range(2):
        kafka.produce("t", SCHEMA, [{"x": partition}], partition=partition)
    while not (second.stats()["rows"] and first.stats()["rows"]):  # the group continues with both
        first.poll(num_messages=1, max_time=50)
second.close(commit=False)
"""
    )


@pytest.mark.parametrize("held_by", ["a thread", "nobody"])
def test_the_interpreter_exits_while_a_revocation_waits_for_its_answer(python, held_by):
    python(
        TWO_MEMBERS
        + f"""
waiting = threading.Event()
def on_revoke(partitions, lost):
    waiting.set()
    time.sleep(600)

first = join(kafka, on_revoke=on_revoke)
first.poll(max_time=0)
second = join(kafka)
threading.Thread(target=poll_for_ever, args=(second,), daemon=True).start()
if {held_by == "a thread"}:
    threading.Thread(target=poll_for_ever, args=(first,), daemon=True).start()
    assert waiting.wait(30)
else:
    native = library()
    slot = native.new("kafarr_batch"), native.new("kafarr_error")
    while native.json(native.lib.listener_rebalance, first._handle) is None:
        native.lib.listener_poll(first._handle, 1, 1, 50, 50, *slot)
""",
        timeout=40,
    )


def test_a_listener_is_dropped_while_a_revocation_waits_for_its_answer(python):
    python(
        TWO_MEMBERS
        + """
import warnings
warnings.simplefilter("ignore")
told = []
first = join(kafka, on_revoke=lambda partitions, lost: told.append(partitions))
first.poll(max_time=0)
second = join(kafka)
native = library()
slot = native.new("kafarr_batch"), native.new("kafarr_error")
while native.json(native.lib.listener_rebalance, first._handle) is None:
    native.lib.listener_poll(first._handle, 1, 1, 50, 50, *slot)
del first
gc.collect()
produce(kafka, 1, 2)
assert len(second.poll(num_messages=2, max_time=30000)[1]) == 2  # all partitions are the second's
second.close()
assert told == []
""",
        timeout=40,
    )


def test_close_waits_for_the_on_revoke_of_another_thread_and_the_poll_ends_with_closed_error(python):
    python(
        TWO_MEMBERS
        + """
told, running = [], threading.Event()
def on_revoke(partitions, lost):
    running.set()
    time.sleep(1)
    first.commit()
    told.append(len(partitions))

first = join(kafka, on_revoke=on_revoke)
first.poll(max_time=0)
second = join(kafka)
threads = [threading.Thread(target=poll_for_ever, args=(p,)) for p in (first, second)]
for thread in threads:
    thread.start()
assert running.wait(30)
first.close()
assert told == [2], told
second.close()
for thread in threads:
    thread.join(10)
    assert not thread.is_alive()
"""
    )


def test_close_within_on_revoke_ends_the_poll_with_closed_error(python):
    python(
        TWO_MEMBERS
        + """
first = join(kafka, on_revoke=lambda partitions, lost: first.close())
first.poll(max_time=0)
second = join(kafka)
thread = threading.Thread(target=poll_for_ever, args=(second,))
thread.start()
poll_for_ever(first)
second.close()
thread.join(10)
assert not thread.is_alive()
"""
    )
