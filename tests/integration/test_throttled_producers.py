"""A broker's quota slows a producer down, and nothing else happens."""

import logging
import time

import pykafarr
from tests.integration.account import Account
from tests.servers.kafka import since

QUOTA = 60_000  # bytes a second


def test_a_quota_delays_rows_for_longer_than_their_time_and_loses_none(cluster, caplog):
    caplog.set_level(logging.INFO, "pykafarr")
    program = "org.apache.kafka.tools.ConfigCommand" if since(4, 0) else "kafka.admin.ConfigCommand"
    name = cluster.new_name("client")
    entity = ["--alter", "--entity-type", "clients", "--entity-name", name]
    cluster.kafka.tool(program, *entity, "--add-config", f"producer_byte_rate={QUOTA}")
    account = Account(cluster.new_topic(2), 2, size=1000)
    config = {"client.id": name, "delivery.timeout.ms": 2000, "batch.size": 20_000}
    begun = time.monotonic()
    with pykafarr.producer(cluster.servers, None, config=config) as out:
        for _ in range(4):
            account.send(out, 200)
            time.sleep(0.1)
        out.flush()
    assert time.monotonic() - begun > 2
    assert account.compare(cluster) == []
    assert [line for line in caplog.messages if "(quotas)" in line]
