"""Each test of this folder runs Python of its own: it breaks the process, or looks at how a fresh one behaves."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What the scripts share. MockKafka stands in for a broker, as none of this is about brokers.
PRELUDE = """
import gc, os, signal, sys, threading, time
import pykafarr
from pykafarr._library.library import library
from pykafarr.testing import MockKafka

# A shell starts what runs in its background with SIGINT ignored, and that is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)

SCHEMA = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "long"}]}

def listen(kafka, **options):
    options.setdefault("config", {})["auto.offset.reset"] = "earliest"
    return pykafarr.listener(kafka.servers, "group", "t", kafka.registry_url, **options)

def produce(kafka, *numbers):
    kafka.produce("t", SCHEMA, [{"x": number} for number in numbers])

def interrupted(work, seconds=0.5, name="it", most=1):
    # Sends a Ctrl-C while work waits, which has to answer within a second, or most. Returns how long that took.
    sent = []
    def interrupt():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)
    timer = threading.Timer(seconds, interrupt)
    timer.start()
    try:
        work()
    except KeyboardInterrupt:
        waited = time.monotonic() - sent[0]
    else:
        raise AssertionError(f"{name} ended before the interrupt")
    timer.join()
    assert waited < most, (name, waited)
    return waited

class Interrupt(BaseException):
    pass

class Disturbed:
    # Sends a signal each millisecond, which raises Interrupt within the package only: what strikes outside of it is the
    # program's own business.
    def __enter__(self):
        package = os.path.dirname(pykafarr.__file__)
        def handler(number, frame):
            if frame.f_code.co_filename.startswith(package):
                raise Interrupt
        def disturb():
            while not self.stop.wait(0.001):
                os.kill(os.getpid(), signal.SIGINT)
        signal.signal(signal.SIGINT, handler)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=disturb, daemon=True)
        self.thread.start()

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
"""


@pytest.fixture
def environment() -> dict[str, str]:
    """The variables of a child that finds this very package."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


@pytest.fixture
def python(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a script in a fresh interpreter. It must end within the time-out, by default with status 0."""

    def run(
        script: str, *options: str, status: int = 0, timeout: float = 60, prelude: str = PRELUDE, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        code = prelude + textwrap.dedent(script)
        done = subprocess.run(
            [sys.executable, *options, "-c", code],
            capture_output=True, text=True, timeout=timeout, env={**environment, **variables}, check=False,
        )  # fmt: skip
        assert done.returncode == status, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run
