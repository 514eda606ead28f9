"""memory_limit: what a listener holds, measured from outside, with messages of a megabyte."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.writing import B

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
MESSAGES = 300
LIMIT = 32 * MIB

# Polls far more rows than the limit has room for, and is slow about it, so that what is fetched ahead piles up. Drops
# each batch at once. Prints the peak of the resident memory over what it was when the listener was opened.
READER = """
import sys, time
import pandas, pyarrow
import pykafarr

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))

servers, group, topic, registry, limit, messages = sys.argv[1:]
pykafarr.decode('"string"', [b"\\x02a"])
rows, before = 0, peak()
options = {"memory_limit": int(limit)} if int(limit) else {}
with pykafarr.listener(servers, group, topic, registry, config={"auto.offset.reset": "earliest"}, **options) as p:
    while rows < int(messages):
        batch = p.poll_batch(100_000, 500)
        assert batch is not None
        rows += batch.num_rows
        del batch
        time.sleep(0.05)
print(peak() - before)
"""


@pytest.fixture
def growth(cluster, writer, topic):
    """Reads the topic in a process of its own, and gives how far its memory rose."""
    writer.write(topic, B, [{"text": chr(ord("a") + number % 26) * 1_000_000} for number in range(MESSAGES)])

    def read(limit: int) -> int:
        where = [cluster.servers, cluster.new_name("group"), topic, cluster.registry_url, str(limit), str(MESSAGES)]
        done = subprocess.run(
            [sys.executable, "-c", READER, *where],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "MALLOC_ARENA_MAX": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    return read


def test_a_memory_limit_holds_with_messages_of_a_megabyte(growth):
    # The frame that the caller has counts on top: an eighth, and with the null bitmap and offsets a little more.
    slack = LIMIT // 8 + 16 * MIB  # and what Go, librdkafka's threads and blocks kept for the next batch take
    bounded = growth(LIMIT)
    assert bounded < LIMIT + slack, f"{bounded / MIB:.1f} MiB"
    # Without it the same reading takes far more: the bound is what holds.
    unbounded = growth(0)
    assert unbounded > 2 * (LIMIT + slack), f"{unbounded / MIB:.1f} MiB"
    print(f"memory_limit of {LIMIT / MIB:.0f} MiB: peak +{bounded / MIB:.1f} MiB; without: +{unbounded / MIB:.1f} MiB")
