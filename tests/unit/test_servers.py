"""Bootstrap servers are read in one way by listeners and scans, and checked before anybody waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

import pykafarr
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}]}


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka() as kafka:
        kafka.produce("T", SCHEMA, [{"x": x} for x in range(3)])
        yield kafka


@pytest.mark.parametrize("form", ["PLAINTEXT://{}", " plaintext://{} ", "{0}, {0}"])
def test_a_listener_and_a_scan_read_servers_alike(kafka: MockKafka, form: str) -> None:
    servers = form.format(kafka.servers)
    config = {"auto.offset.reset": "earliest"}
    with pykafarr.listener(servers, f"group {form}", "T", kafka.registry_url, config=config) as p:
        assert p.poll(3)[1]["x"].tolist() == [0, 1, 2]
    assert pykafarr.read(servers, "T", kafka.registry_url).to_pandas()["R"]["x"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("servers", "named"),
    [
        ("http://a:1", r'"http://a:1" begins with http://'),
        ("a:1,kafka://b:2", r'"kafka://b:2" begins with kafka://'),
        ("SSL://a:1", "security.protocol in config is plaintext"),
        ("a:1 b:2", '"a:1 b:2" holds " "'),
        (["a:1", "b:2;c:3"], '"b:2;c:3" holds ";"'),
        ("a:1,,b:2", "entry 2 of"),
        ("a:70000", 'the port "70000"'),
        (" ", "servers is empty"),
    ],
    ids=str,
)
def test_a_server_that_is_none_is_named_at_once_by_both(servers: str | list[str], named: str) -> None:
    begun = time.monotonic()
    with pytest.raises(pykafarr.ConfigError, match=named):
        pykafarr.listener(servers, "g", "T", None, value="bytes")
    with pytest.raises(pykafarr.ConfigError, match=named):
        pykafarr.scan(servers, "T", None, value="bytes")
    assert time.monotonic() - begun < 10, "neither waited for its 30 s"
