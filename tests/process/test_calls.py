"""No argument and no order of calls ends the interpreter."""

import os
import subprocess
import sys

import pytest

from .conftest import ROOT

# Which seeds are run, and how many steps each: `make test-processes` asks for more.
SEEDS = range(*map(int, os.environ.get("PYKAFARR_SEEDS", "1-2").split("-")))
STEPS = 300


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_in_random_order_with_hostile_arguments_end_in_documented_errors_only(seed, environment):
    """tests/process/calls.py says what is called; with VERBOSE=1 it shows each call."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-X", "faulthandler", "-m", "tests.process.calls", str(seed), str(STEPS)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"status {done.returncode}\n{done.stdout[-5000:]}\n{done.stderr[-10000:]}"
    answered, refused = (int(word) for word in done.stdout.split() if word.isdigit())
    assert answered > 20, done.stdout  # or it would prove nothing
    assert refused > 20, done.stdout
    print(done.stdout, end="")
