"""Signals belong to the program: waits answer Ctrl-C, and handlers, timers and faulthandler stay what they were."""

import signal

import pytest

# A broker that can be frozen, as it is a process of its own.
FROZEN = """
import subprocess
broker = subprocess.Popen(
    [sys.executable, "-c", '''if True:
        import sys
        from pykafarr.testing import MockKafka
        schema = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "long"}]}
        with MockKafka(topics=["t"]) as kafka:
            kafka.produce("t", schema, [{"x": x} for x in range(10)])
            print(kafka.servers, kafka.registry_url, flush=True)
            sys.stdin.read()
    '''],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
)
servers, registry = broker.stdout.readline().split()

def freeze():
    # Its threads stop one by one, after the signal was sent: until then the broker may still answer.
    os.kill(broker.pid, signal.SIGSTOP)
    tasks = f"/proc/{broker.pid}/task"
    while any(open(f"{tasks}/{task}/stat").read().rpartition(")")[2].split()[0] != "T" for task in os.listdir(tasks)):
        time.sleep(0.001)
"""


def test_every_wait_answers_an_interrupt_within_a_second(python):
    done = python(
        FROZEN
        + """
def answers(name, wait):
    print(f"{name} {interrupted(wait, name=name) * 1000:.0f} ms")

config = {"auto.offset.reset": "earliest", "enable.auto.commit": False}
try:
    p = pykafarr.listener(servers, "group", "t", registry, config=config)
    batch = p.poll_batch(num_messages=5)
    assert len(batch) == 5
    import pandas
    freeze()
    answers("commit", p.commit)
    answers("commit of a batch", lambda: p.commit(batch))
    answers("lag", p.lag)
    answers("committed", p.committed)
    answers("seek", lambda: p.seek("t", 0, "latest"))
    answers("poll", lambda: p.poll(num_messages=100, max_time=30000))
    answers("batches", lambda: next(p.batches(num_messages=100, max_time=30000)))
    answers("close", p.close)
finally:
    broker.kill()
        """
    )
    print(done.stdout, end="")


def test_a_read_of_the_command_line_ends_within_a_second_of_a_signal(python):
    """Also where the broker does not answer any more: a second Ctrl-C gives up on the goodbye."""
    done = python(
        FROZEN
        + """
def read(frozen, number):
    command = [sys.executable, "-m", "pykafarr", "read", "--servers", servers, "--topics", "t", "--registry", registry]
    process = subprocess.Popen(
        [*command, "--from-beginning", "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for _ in range(10):
        process.stdout.readline()
    if frozen:
        freeze()
    time.sleep(0.3)
    begun = time.monotonic()
    process.send_signal(number)
    if frozen:
        time.sleep(0.3)
        process.send_signal(number)
    _, err = process.communicate(timeout=30)
    took = time.monotonic() - begun
    assert process.returncode == 128 + number, (process.returncode, err)
    print(f"{'frozen' if frozen else 'live'} {number.name} {took:.2f} s")
    return took

try:
    for number in (signal.SIGINT, signal.SIGTERM):
        # A second is for the answer; the end of the interpreter, on a machine with other work, comes on top.
        assert read(False, number) < 3
    assert read(True, signal.SIGINT) < 3
finally:
    broker.kill()
        """
    )
    print(done.stdout, end="")


def test_handlers_and_what_is_ignored_stay_as_they_were(python):
    python(
        """
        seen = []
        names = ("USR1", "USR2", "HUP", "TERM", "CHLD", "ALRM", "WINCH")
        numbers = [getattr(signal, "SIG" + name) for name in names]
        for number in numbers:
            signal.signal(number, lambda number, frame: seen.append(number))
        ignored = [number for number in signal.valid_signals() if signal.getsignal(number) == signal.SIG_IGN]
        assert signal.SIGPIPE in ignored
        before = {number: signal.getsignal(number) for number in signal.valid_signals()}
        with MockKafka(topics=["t"]) as kafka, listen(kafka) as p:
            produce(kafka, 1)
            assert p.poll(num_messages=1)[1]["x"].tolist() == [1]
            assert {number: signal.getsignal(number) for number in signal.valid_signals()} == before
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
            assert mask == set(), mask
            def send():
                for number in numbers:
                    os.kill(os.getpid(), number)
                    time.sleep(0.05)
            thread = threading.Thread(target=send)
            thread.start()
            assert p.poll(max_time=1000)[0] is None
            thread.join()
            assert sorted(seen) == sorted(numbers), seen  # those of one slice come in the order of their numbers
            readable, writable = os.pipe()
            os.close(readable)
            try:
                os.write(writable, b"x")
            except BrokenPipeError:
                pass  # ignored by Python, so that it becomes this
            else:
                raise AssertionError("no BrokenPipeError")
        """
    )


@pytest.mark.parametrize("timer", ["ITIMER_PROF", "ITIMER_REAL"])
def test_a_profiler_that_samples_by_a_signal_goes_on_during_polls(python, timer):
    """py-spy needs none, but pprofile, gperftools and statprof do: a tick every millisecond."""
    python(
        f"""
        number = {{"ITIMER_PROF": signal.SIGPROF, "ITIMER_REAL": signal.SIGALRM}}["{timer}"]
        ticks = []
        def sample(number, frame):
            names = set()
            while frame:
                names.add(frame.f_code.co_name)
                frame = frame.f_back
            ticks.append("poll" in names)
        signal.signal(number, sample)
        with MockKafka(topics=["t"]) as kafka, listen(kafka) as p:
            for first in range(0, 20000, 5000):
                produce(kafka, *range(first, first + 5000))
            signal.setitimer(signal.{timer}, 0.001, 0.001)
            rows = []
            while len(rows) < 20000:
                _, frame = p.poll(num_messages=50)
                rows += frame["x"].tolist()
            signal.setitimer(signal.{timer}, 0)
            assert rows == list(range(20000))
            assert len(ticks) > 20, ticks
            assert any(ticks), len(ticks)
        """
    )


@pytest.mark.parametrize("when", ["before", "after"])
def test_faulthandler_tells_of_a_crash_whether_enabled_before_or_after_the_first_use(python, when):
    done = python(
        f"""
        import faulthandler
        if "{when}" == "before":
            faulthandler.enable()
        with MockKafka(topics=["t"]) as kafka, listen(kafka) as p:
            produce(kafka, 1)
            assert p.poll(num_messages=1)[1]["x"].tolist() == [1]
            if "{when}" == "after":
                faulthandler.enable()
            faulthandler.register(signal.SIGUSR1)
            def ask():
                time.sleep(0.3)
                os.kill(os.getpid(), signal.SIGUSR1)
                time.sleep(60)  # faulthandler reads the states of threads without a lock: none may end meanwhile
            threading.Thread(target=ask, daemon=True).start()
            p.poll(max_time=800)
            def on_purpose():
                faulthandler._sigsegv()
            on_purpose()
        """,
        status=-signal.SIGSEGV,
    )
    assert "in _receive" in done.stderr  # of the traceback on request
    assert "Fatal Python error: Segmentation fault" in done.stderr
    assert "in on_purpose" in done.stderr
