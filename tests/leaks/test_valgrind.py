"""valgrind, where it is installed: a second opinion, of another make, on the same C program."""

import re
import shutil

import pytest

pytestmark = pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")

# What it says of invalid accesses is not looked at: goroutines have stacks in memory that valgrind takes for no stack.
COMMAND = ["valgrind", "--leak-check=full", "--undef-value-errors=no"]


def lost(report):
    """Bytes that no pointer leads to, or only pointers of lost blocks.

    Blocks that are "possibly lost" are the thread-local memory of threads that still run.
    """
    if "All heap blocks were freed" in report:
        return 0
    found = re.findall(r"(?:definitely|indirectly) lost: ([\d,]+) bytes", report)
    assert len(found) == 2, report[-5000:]
    return sum(int(number.replace(",", "")) for number in found)


def test_a_c_program_that_reads_a_topic_leaks_nothing(drive):
    done = drive(*COMMAND)

    assert (done.returncode, done.stdout) == (0, "0 bytes alive\n"), done.stderr[-5000:]
    assert lost(done.stderr) == 0, done.stderr[-5000:]


@pytest.mark.parametrize("leak", ["a counted block", "memory of its own", "a batch", "a text"])
def test_a_leak_is_found(drive, leak):
    done = drive(*COMMAND, leak=leak)

    assert done.returncode in {0, 2}, done.stderr[-5000:]
    assert lost(done.stderr) > 0
