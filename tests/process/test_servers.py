"""Processes and threads as servers and schedulers use them: fork after import, fork under load, pools."""

import os

import pytest

# How many children the test under load forks: `make test-processes` asks for more.
FORKS = int(os.environ.get("PYKAFARR_FORKS", "20"))


def test_children_of_a_server_that_forks_after_importing_each_read(python):
    """As gunicorn with preload and celery do: the parent imports and never uses it, each child opens its own."""
    python(
        """
        import subprocess, threading
        # The broker is another process's: starting it here would be a use.
        broker = subprocess.Popen(
            [sys.executable, "-c", '''if True:
                import sys
                from pykafarr.testing import MockKafka
                schema = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "long"}]}
                with MockKafka(topics=["t"]) as kafka:
                    kafka.produce("t", schema, [{"x": 7}])
                    print(kafka.servers, kafka.registry_url, flush=True)
                    sys.stdin.read()
            '''],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        servers, registry = broker.stdout.readline().split()
        assert threading.active_count() == len(os.listdir("/proc/self/task")) == 1
        children = []
        for number in range(4):
            child = os.fork()
            if child == 0:
                try:
                    config = {"auto.offset.reset": "earliest"}
                    with pykafarr.listener(servers, f"group-{number}", "t", registry, config=config) as p:
                        assert p.poll_batch(num_messages=1).to_arrow()["x"].to_pylist() == [7]
                except BaseException:
                    import traceback; traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            children.append(child)
        ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        broker.stdin.close(); broker.wait(10)
        assert ended == [0] * 4, ended
        """,
        "-W", "error",
    )  # fmt: skip


def test_forks_under_load_neither_hang_nor_crash(python):
    """A thread polls, frames come and go, and meanwhile the process forks again and again."""
    done = python(
        f"""
        with MockKafka(topics=["t"]) as kafka, listen(kafka) as p:
            produce(kafka, *range(1000))
            stop, rows, latest = threading.Event(), 0, []
            def work():
                global rows
                while not stop.is_set():
                    batch = p.poll_batch(num_messages=100, max_time=20)
                    if batch is None:
                        p.seek("t", 0, "earliest")
                        continue
                    rows += len(batch)
                    latest[:] = [batch.to_pandas(copy=False), batch]
            thread = threading.Thread(target=work)
            thread.start()
            while not latest:
                time.sleep(0.01)
            import pandas  # as lag() does, and before the clock of a child runs
            longest = 0.0
            for turn in range({FORKS}):
                begun = time.monotonic()
                child = os.fork()
                if child == 0:
                    status = 1
                    for call in (p.poll, p.commit, p.close, p.lag, p.stats, p.position, p.assignment, MockKafka):
                        try:
                            call()
                        except pykafarr.ForkError:
                            continue
                        os._exit(3)
                    if time.monotonic() - begun > 5:
                        os._exit(4)
                    latest.clear()
                    gc.collect()
                    if turn % 2:
                        os._exit(0)
                    sys.exit(0)
                while not (ended := os.waitpid(child, os.WNOHANG))[0]:
                    assert time.monotonic() < begun + 20, f"child {{turn}} hangs"
                    time.sleep(0.002)
                assert os.waitstatus_to_exitcode(ended[1]) == 0, (turn, os.waitstatus_to_exitcode(ended[1]))
                longest = max(longest, time.monotonic() - begun)
            before = rows
            deadline = time.monotonic() + 10
            while rows == before:
                assert time.monotonic() < deadline, "the parent's poll does not continue"
                time.sleep(0.01)
            stop.set()
            thread.join()
        print("{FORKS} forks under load: 0 hangs, 0 crashes")
        print(f"the longest child took {{longest:.2f}} s, the parent read {{rows}} rows meanwhile")
        """,
        "-W", "ignore",  # Python 3.12 warns of fork in a process with threads: that is what is tried here
        timeout=60 + 2 * FORKS,
    )  # fmt: skip
    print(done.stdout, end="")


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_of_a_pool_each_read(python, tmp_path, method):
    """The parent has used it before the pool starts, and continues to use it."""
    script = tmp_path / "pool.py"
    script.write_text(
        f"""
import multiprocessing
import pykafarr
from pykafarr.testing import MockKafka

SCHEMA = {{"type": "record", "name": "A", "fields": [{{"name": "x", "type": "long"}}]}}

def work(place):
    servers, registry, group = place
    with pykafarr.listener(servers, group, "t", registry, config={{"auto.offset.reset": "earliest"}}) as p:
        return p.poll_batch(num_messages=3).to_arrow()["x"].to_pylist()

if __name__ == "__main__":
    with MockKafka(topics=["t"]) as kafka:
        kafka.produce("t", SCHEMA, [{{"x": x}} for x in range(3)])
        places = [(kafka.servers, kafka.registry_url, f"group-{{n}}") for n in range(4)]
        context = multiprocessing.get_context({method!r})
        with context.Pool(2) as pool:
            assert pool.map(work, places) == [[0, 1, 2]] * 4
            pool.close()
            pool.join()
        assert work((kafka.servers, kafka.registry_url, "parent")) == [0, 1, 2]
"""
    )
    python(f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')", prelude="")


def test_eight_listeners_in_a_thread_pool_each_read_everything(python):
    python(
        """
        from concurrent.futures import ThreadPoolExecutor
        with MockKafka(topics=["t"]) as kafka:
            produce(kafka, *range(1000))
            def work(number):
                config = {"auto.offset.reset": "earliest"}
                seen = []
                with pykafarr.listener(kafka.servers, f"group-{number}", "t", kafka.registry_url, config=config) as p:
                    while len(seen) < 1000:
                        seen += p.poll_batch(num_messages=97, max_time=2000).to_arrow()["x"].to_pylist()
                    p.commit()
                return seen
            with ThreadPoolExecutor(8) as pool:
                for seen in pool.map(work, range(8)):
                    assert seen == list(range(1000))
        gc.collect()
        assert library().lib.kafarr_live_bytes() == 0
        """
    )
