"""memory_limit: what a scan holds, measured from outside, with messages of a megabyte in four partitions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pykafarr
from tests.integration.writing import B, Writer

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
MESSAGES = 300
LIMIT = 64 * MIB

# Is slow about taking batches, so that what is read ahead piles up, and drops each at once. Prints the peak of the
# resident memory over what it was before.
READER = """
import sys, time
import pandas, pyarrow
import pykafarr

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))

servers, topic, registry, limit, messages = sys.argv[1:]
pykafarr.decode('"string"', [b"\\x02a"])
rows, before = 0, peak()
options = {"memory_limit": int(limit)} if int(limit) else {"limits": {"batch_bytes": 64 << 20}}
with pykafarr.read(servers, topic, registry, **options) as stream:
    for batch in stream:
        rows += batch.num_rows
        del batch
        time.sleep(0.05)
assert rows == int(messages), rows
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_a_memory_limit_holds_with_messages_of_a_megabyte(codec, cluster):
    topic = cluster.new_topic(4)
    writer = Writer(cluster, compression_type=codec)
    for partition in range(4):
        texts = [{"text": chr(ord("a") + number % 26) * 1_000_000} for number in range(MESSAGES // 4)]
        writer.write(topic, B, texts, partition)
    writer.close()

    def growth(limit: int) -> int:
        where = [cluster.servers, topic, cluster.registry_url, str(limit), str(MESSAGES)]
        done = subprocess.run(
            [sys.executable, "-c", READER, *where],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "MALLOC_ARENA_MAX": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    # The batch that the caller has counts on top, and what blocks are kept for the next one.
    bounded = growth(LIMIT)
    assert bounded < LIMIT + LIMIT // 8 + 16 * MIB, f"{bounded / MIB:.1f} MiB"
    # With larger batches than the limit has room for, the same reading takes far more.
    unbounded = growth(0)
    assert unbounded > 2 * bounded, f"{unbounded / MIB:.1f} MiB"
    print(f"memory_limit of {LIMIT / MIB:.0f} MiB: peak +{bounded / MIB:.1f} MiB; without: +{unbounded / MIB:.1f} MiB")


def test_a_record_batch_that_becomes_too_much_for_the_limit_is_an_error_that_names_it(cluster):
    topic = cluster.new_topic()
    writer = Writer(cluster, compression_type="zstd")
    writer.write(topic, B, [{"text": "a" * 5_000_000}])
    writer.close()
    with pytest.raises(pykafarr.BrokerError, match=rf"{topic}\[0\]@0: .* becomes more than .* \(memory_limit: "):
        pykafarr.read(cluster.servers, topic, cluster.registry_url, memory_limit=32 * MIB).to_arrow()
    assert len(pykafarr.read(cluster.servers, topic, cluster.registry_url).to_arrow()["com.example.B"]) == 1
