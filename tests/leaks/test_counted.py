"""The library counts its column memory: kafarr_live_bytes() is zero once all batches are released."""

import pytest


def test_nothing_is_left_when_a_c_program_has_released_all(drive):
    done = drive()

    assert (done.returncode, done.stdout) == (0, "0 bytes alive\n"), done.stderr


@pytest.mark.parametrize("leak", ["a counted block", "a batch"])
def test_what_is_left_is_told(drive, leak):
    done = drive(leak=leak)

    assert (done.returncode, done.stderr) == (2, "")
    assert not done.stdout.startswith("0 ")
