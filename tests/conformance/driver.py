"""A Java library as a judge: a program that is asked line by line. It tells the form of requests and answers."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.servers import download, java

LEAST_JAVA = 17

_HERE = Path(__file__).parent


class Driver:
    """One Java process, which lives until `close()`."""

    def __init__(self, program: str, pom: str, version: str) -> None:
        self._name = program.removesuffix(".java")
        found = java.find(LEAST_JAVA, compiler=True)
        if found is None:
            message = f"{program} needs a JDK {LEAST_JAVA} or newer, with javac; found: {java.describe()}"
            raise RuntimeError(message)
        jars = download.jars(_HERE / pom, version)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 # closed by close()
        command = [
            str(found.program),
            *("-Xmx256m", "-XX:+UseSerialGC"),
            # The quick compiler only: the process lives for seconds.
            "-XX:TieredStopAtLevel=1",
            *("-cp", f"{jars}/*", str(_HERE / program)),
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, encoding="utf-8"
        )

    def close(self) -> None:
        """Ends the process."""
        with self._process, self._errors:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps(request)
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            status = self._process.wait(20)
            self._errors.seek(0)
            errors = self._errors.read().decode(errors="replace")
            raise RuntimeError(f"{self._name} ended with exit status {status} at {line}:\n{errors}")
        found: dict[str, Any] = json.loads(answer)
        if "failure" in found:
            raise RuntimeError(f"{self._name} failed at {line}:\n{found['failure']}")
        return found
