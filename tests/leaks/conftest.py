"""What the leak checkers watch: programs that read a topic, and lose nothing, or lose something on purpose."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers import Cluster

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RELEASED = ROOT / "pykafarr" / "_native"
TESTING = ROOT / "build" / "testing"  # built by `make build-testing`: it can lose a block

# Two fields each, so that a body can be cut short between them: its first field has then been decoded.
PRICE = {
    "type": "record",
    "name": "Price",
    "fields": [{"name": "id", "type": "long"}, {"name": "symbol", "type": "string"}],
}
TRADE = {
    "type": "record",
    "name": "Trade",
    "fields": [{"name": "symbol", "type": "string"}, {"name": "id", "type": "long"}],
}
ROUNDS = 4


@pytest.fixture(scope="session")
def topic(cluster: Cluster) -> str:
    """A topic of two message types, with messages that cannot be decoded where the one follows the other."""
    topic = cluster.new_topic()
    with contextlib.closing(Writer(cluster)) as writer:
        for _ in range(ROUNDS):
            for schema in (PRICE, TRADE):
                cut_short = writer.serialize(topic, schema, {"id": 1 << 40, "symbol": "GBPUSD"})[:-4]
                records = [{"id": one, "symbol": "x" * (one % 20)} for one in range(500)]
                writer.write(topic, schema, records, key=b"key", headers=[("header", b"value")])
                writer.write_values(topic, [cut_short, b"no framing", None])
    return topic


# What a reader that collects or skips bad messages gets of the topic.
GOOD = ROUNDS * 2 * 500
BAD = ROUNDS * 2 * 3


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """driver.c, compiled."""
    program = tmp_path_factory.mktemp("leaks") / "driver"
    command = [*shlex.split(os.environ.get("CC", "cc")), "-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror"]
    command += [f"-I{ROOT / 'cgo'}", str(HERE / "driver.c"), "-o", str(program), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return program


@pytest.fixture
def drive(cluster: Cluster, topic: str, driver: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the driver: within what checker() says, with a leak of its table."""

    def run(*checker: str, leak: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        library = (TESTING if leak else RELEASED) / "libkafarr.so"
        place = [cluster.servers, cluster.registry_url, topic, cluster.new_name("group")]
        command = [*checker, str(driver), str(library), *place, str(GOOD + BAD), *filter(None, [leak])]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=200, env={**os.environ, **variables}, check=False
        )

    return run


@pytest.fixture
def read_in_python(cluster: Cluster, topic: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs reader.py, which ends with a check by the LeakSanitizer that `variables` load."""

    def run(leak: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        place = [cluster.servers, cluster.registry_url, topic, cluster.new_name("group")]
        command = [sys.executable, str(HERE / "reader.py"), *place, str(GOOD), *filter(None, [leak])]
        library = str((TESTING if leak else RELEASED) / "libkafarr.so")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYKAFARR_LIBRARY": library, **variables}
        return subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment, check=False)

    return run


@pytest.fixture(scope="session")
def leak_sanitizer() -> str:
    """LeakSanitizer's library, which comes with gcc."""
    for compiler in ([*shlex.split(os.environ.get("CC", ""))], ["gcc"]):
        if compiler and shutil.which(compiler[0]):
            found = subprocess.run(
                [*compiler, "-print-file-name=liblsan.so"], capture_output=True, text=True, timeout=20, check=False
            ).stdout.strip()
            if Path(found).is_absolute():
                return found
    pytest.skip("LeakSanitizer is not installed: neither $CC nor gcc has a liblsan.so")
