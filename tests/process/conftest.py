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
