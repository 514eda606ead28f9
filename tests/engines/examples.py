"""The examples of docs/engines.md, on the real cluster."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.writing import Writer
    from tests.servers import Cluster

PAGE = Path(__file__).resolve().parents[2] / "docs" / "engines.md"
PRICE = {
    "type": "record",
    "name": "Price",
    "namespace": "com.example",
    "fields": [{"name": "symbol", "type": "string"}, {"name": "bid", "type": "double"}],
}
# 2026-11-14, in milliseconds.
TIME = 1_794_614_400_000


def run(engine: str, folder: Path, cluster: Cluster, writer: Writer, **replaced: str) -> None:
    """Runs the example that has this word in it, as it stands but for its addresses."""
    (code,) = [
        found
        for found in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
        if engine in found
    ]
    here = {"kafka:9092": cluster.servers, "http://registry:8081/": cluster.registry_url, "/lake": str(folder)}
    for name in ("PRICES", "TRADES", "SENT"):
        here[name] = topic = cluster.new_topic(partitions=2)
        for partition, bid in enumerate([1.25, 1.5]):
            writer.write(topic, PRICE, [{"symbol": "GBPUSD", "bid": bid}] * 2, partition, timestamp=TIME)
    for address, actual in {**here, **replaced}.items():
        code = code.replace(address, actual)
    exec(compile(code, "docs/engines.md", "exec"), {"__name__": "__main__"})
