"""Importing costs nothing, and goes with every other library in any order."""

import pytest

OTHERS = ["pyarrow", "pandas", "polars", "confluent_kafka"]
ORDERS = [
    *[(other, "pykafarr") for other in OTHERS],
    *[("pykafarr", other) for other in OTHERS],
    (*OTHERS, "pykafarr"),
    (*reversed(OTHERS), "pykafarr"),
    ("pykafarr", *OTHERS),
    ("pyarrow", "confluent_kafka", "pykafarr", "polars", "pandas"),
]


def test_importing_loads_no_library_and_starts_no_thread(python):
    python(
        """
        import os, sys
        before = len(os.listdir("/proc/self/task"))
        import pykafarr, pykafarr.testing
        assert len(os.listdir("/proc/self/task")) == before
        assert "kafarr.so" not in open("/proc/self/maps").read()
        assert not {"pandas", "pyarrow", "numpy", "cffi"} & set(sys.modules)
        """,
        prelude="",
    )


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_the_library_loads_in_every_order_of_imports(python, order):
    # dlopen right after its own import, so that what comes later meets a loaded library.
    steps = {
        "pykafarr": "import pykafarr; assert pykafarr.decode('\"long\"', [b'\\x02'])['value'].to_pylist() == [1]",
        "confluent_kafka": "import confluent_kafka; confluent_kafka.Producer({'bootstrap.servers': 'a:1'}).flush(0)",
    }
    script = "\n".join(steps.get(name, f"import {name}") for name in order)
    python(script, prelude="")


def test_two_librdkafkas_live_side_by_side(python):
    python(
        """
        import confluent_kafka
        with MockKafka(topics=["t"]) as kafka:
            produce(kafka, 1, 2, 3)
            theirs = confluent_kafka.Consumer(
                {"bootstrap.servers": kafka.servers, "group.id": "theirs", "auto.offset.reset": "earliest"}
            )
            theirs.subscribe(["t"])
            with listen(kafka) as ours:
                assert ours.poll(num_messages=3)[1]["x"].tolist() == [1, 2, 3]
            message = theirs.poll(30)
            assert message is not None and message.offset() == 0, message
            theirs.close()
        """
    )
