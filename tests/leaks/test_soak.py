"""The soak of bench/soak, shortened: that it runs, judges, and would notice. What it measures, `make soak` tells.

So short a run is mostly warm-up, and the limit is wide: ten times what was measured, a third of what the planted leak
adds.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 200  # MiB per million messages


@pytest.fixture
def soak(cluster):
    def run(*options):
        place = [f"--servers={cluster.servers}", f"--registry={cluster.registry_url}", f"--topic={cluster.new_topic()}"]
        command = [sys.executable, "-m", "bench.soak", *place, "--messages=300000", "--listeners=4", f"--limit={LIMIT}"]
        return subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=250, check=False)

    return run


def test_reading_makes_no_memory_grow(soak):
    done = soak()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "column memory in use at the end: 0 bytes" in done.stdout


def test_a_leak_makes_it_grow(soak):
    done = soak("--plant-leak=600")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED: the resident memory grows" in done.stdout
