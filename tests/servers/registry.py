"""An Apicurio registry, in memory, with the API of Confluent's schema registry."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING

from . import download, java, ports
from .process import ServerError, ServerProcess

if TYPE_CHECKING:
    from pathlib import Path

# The newest version that each Java can run, the newest first.
VERSIONS = {21: "3.3.3", 17: "3.0.9"}


class Registry:
    """A schema registry. `url` is what clients take as its address."""

    def __init__(self, folder: Path) -> None:
        found, version = _java_and_version()
        program = _program(download.registry(version))
        port, management_port = ports.free(2)
        self.version = version
        self.url = f"http://{ports.HOST}:{port}/apis/ccompat/v7"
        folder.mkdir()
        command = [
            str(found.program),
            "-Xmx384m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            # By default it listens on every address of the machine.
            f"-Dquarkus.http.host={ports.HOST}",
            f"-Dquarkus.http.port={port}",
            f"-Dquarkus.management.host={ports.HOST}",
            f"-Dquarkus.management.port={management_port}",
            *("-jar", str(program)),
        ]
        self.process = ServerProcess("registry", command, folder)

    def start(self, wait: bool = True) -> None:
        """Starts it, with no schema."""
        self.process.start()
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Waits until it answers requests."""
        self.process.wait_until(self._answers)

    def _answers(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/subjects", timeout=5) as answer:
            return isinstance(json.load(answer), list)


def _java_and_version() -> tuple[java.Java, str]:
    for least, version in VERSIONS.items():
        if found := java.find(least):
            return found, version
    raise ServerError(f"the registry needs Java {min(VERSIONS)} or newer; found: {java.describe()}")


def _program(unpacked: Path) -> Path:
    """The jar to run: 3.3 has quarkus-run.jar, 3.0 had apicurio-registry-app-3.0.9-runner.jar."""
    (found,) = (*unpacked.glob("quarkus-run.jar"), *unpacked.glob("*-runner.jar"))
    return found
