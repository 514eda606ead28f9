"""An option that is wrong is raised again and again, and never consumes the topic."""

import pytest

import pykafarr
from pykafarr.testing import MockKafka

SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}]}


@pytest.mark.parametrize("errors", ["raise", "skip", "collect"])
def test_a_mistyped_column_is_raised_at_every_poll_and_commits_nothing(errors: pykafarr._options.checks.Errors) -> None:
    with MockKafka() as kafka:
        kafka.produce("T", SCHEMA, [{"x": x} for x in range(3)])
        with pykafarr.listener(
            kafka.servers,
            "g",
            "T",
            kafka.registry_url,
            columns=["X"],
            errors=errors,
            config={"auto.offset.reset": "earliest"},
        ) as p:
            for _ in range(3):
                with pytest.raises(pykafarr.ConfigError, match=r'T\[0\]@0: .*has no field "X": it has x'):
                    p.poll_batch(10, 1000)
            p.commit()
            assert p.committed()["T", 0] in {None, 0}
            assert p.stats()["skipped"] == p.stats()["rejected"] == 0
        with pytest.raises(pykafarr.ConfigError, match="columns"):
            pykafarr.read(kafka.servers, "T", kafka.registry_url, columns=["X"], errors=errors).to_pandas()


def test_a_mistyped_column_of_decode_is_a_config_error() -> None:
    with pytest.raises(pykafarr.ConfigError, match='has no field "X": it has x'):
        pykafarr.decode(SCHEMA, [b"\x02"], columns=["X"])
