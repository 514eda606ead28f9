"""LeakSanitizer, preloaded: finds memory that nothing points to any more, in C programs and in Python.

It needs no suppressions. It does not look into Go's heap: memory that only Go knows of counts as lost. That is as it
should be, since by the end all listeners are freed.
"""

import re

import pytest

FOUND = 23  # its exit status


@pytest.fixture
def watched(leak_sanitizer):
    # Not by frame pointers: the frame below a C library's function would be lost, and which library called it.
    return {"LD_PRELOAD": leak_sanitizer, "LSAN_OPTIONS": "fast_unwind_on_malloc=0"}


@pytest.fixture
def watched_python(leak_sanitizer):
    # Python's and Arrow's own allocators take memory that LeakSanitizer does not look into. And stacks by frame
    # pointers: whatever is lost has frames of ours enough, and the other way takes Python six times as long.
    return {"LD_PRELOAD": leak_sanitizer, "PYTHONMALLOC": "malloc", "ARROW_DEFAULT_MEMORY_POOL": "system"}


def ours(report):
    """The leaks of a report that our two libraries allocated; Python loses an object of its own now and then."""
    leaks = re.findall(r"^(?:Direct|Indirect) leak of .*?(?=\n\n|\Z)", report, re.DOTALL | re.MULTILINE)
    return [leak for leak in leaks if "libkafarr.so" in leak or "libpykafarr_rdkafka.so" in leak]


def test_a_c_program_that_reads_a_topic_leaks_nothing(drive, watched):
    done = drive(**watched)

    assert (done.returncode, done.stdout) == (0, "0 bytes alive\n"), done.stderr


@pytest.mark.parametrize("leak", ["a counted block", "memory of its own", "a batch", "a text"])
def test_a_leak_of_a_c_program_is_found(drive, watched, leak):
    done = drive(leak=leak, **watched)

    assert done.returncode == FOUND, done.stderr
    assert "ERROR: LeakSanitizer: detected memory leaks" in done.stderr


def test_a_python_program_that_reads_a_topic_leaks_nothing(read_in_python, watched_python):
    done = read_in_python(**watched_python)

    assert done.returncode in {0, FOUND}, done.stderr
    assert "0 bytes alive" in done.stdout
    assert ours(done.stderr) == []


def test_a_leak_of_a_python_program_is_found(read_in_python, watched_python):
    done = read_in_python("leak", **watched_python)

    assert done.returncode == FOUND, done.stderr
    assert len(ours(done.stderr)) == 1, done.stderr
