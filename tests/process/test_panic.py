"""A panic in Go is an InternalError, and the library refuses further calls: its state is unknown."""

from pathlib import Path

import pytest

# Built by `make build-testing`: the library with exports that fail on purpose.
LIBRARY = Path(__file__).resolve().parents[2] / "build" / "testing" / "libkafarr.so"

PANICS = {
    "an export": "library.call(library.lib.kafarr_testing_panic)",
    "a goroutine": "library.wait(library.handle(library.lib.kafarr_testing_panic_start))",
}


@pytest.mark.parametrize("panic", PANICS)
def test_a_panic_is_an_internal_error_and_later_calls_fail_cleanly(python, panic):
    done = python(
        f"""
        library = library()
        batch = pykafarr.decode('"long"', [b"\\x02"])
        for call in (
            lambda: {PANICS[panic]},
            lambda: pykafarr.decode('"long"', [b"\\x02"]),
            lambda: pykafarr.listener("127.0.0.1:9", "group", "t", "http://127.0.0.1:9"),
        ):
            try:
                call()
            except pykafarr.InternalError as error:
                print(error)
            else:
                raise AssertionError("no InternalError")
        assert batch["value"].to_pylist() == [1]
        """,
        PYKAFARR_LIBRARY=str(LIBRARY),
    )
    if panic == "an export":  # whoever waits for a goroutine may hear of the refusal first
        assert "on purpose" in done.stdout.splitlines()[0]


def test_an_open_listener_survives_a_panic_elsewhere_without_hanging(python):
    python(
        """
        library = library()
        with MockKafka(topics=["t"]) as kafka:
            p = listen(kafka)
            produce(kafka, 1)
            _, frame = p.poll(num_messages=1)
            try:
                library.call(library.lib.kafarr_testing_panic)
            except pykafarr.InternalError:
                pass
            for call in (p.poll, p.commit, p.close):
                try:
                    call()
                except pykafarr.InternalError:
                    pass
                else:
                    raise AssertionError(call)
            assert frame["x"].tolist() == [1]
            os._exit(0)  # the with block would end in the same error
        """,
        PYKAFARR_LIBRARY=str(LIBRARY),
        timeout=30,
    )


def test_the_leak_gate_sees_a_lost_block(python):
    python(
        """
        library().lib.kafarr_testing_leak(1000)
        assert library().lib.kafarr_live_bytes() > 0
        """,
        PYKAFARR_LIBRARY=str(LIBRARY),
    )
