"""Apache Avro's Java as a judge: it writes bodies and reads them. Driver.java tells the form of values."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.servers import download, java

VERSION = "1.12.1"
LEAST_JAVA = 17

_HERE = Path(__file__).parent


class Avro:
    """One Java process, which lives until `close()`."""

    def __init__(self) -> None:
        found = java.find(LEAST_JAVA, compiler=True)
        if found is None:
            message = f"Avro's Java needs a JDK {LEAST_JAVA} or newer, with javac; found: {java.describe()}"
            raise RuntimeError(message)
        jars = download.jars(_HERE / "avro.pom.xml", VERSION)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 # closed by close()
        command = [
            str(found.program),
            *("-Xmx256m", "-XX:+UseSerialGC"),
            # The quick compiler only: the process lives for seconds.
            "-XX:TieredStopAtLevel=1",
            *("-cp", f"{jars}/*", str(_HERE / "Driver.java")),
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, encoding="utf-8"
        )

    def write(self, schema: Any, values: list[Any], *, block: int | None = None) -> list[bytes]:
        """Bodies of these values. block: arrays and maps in blocks of about so many bytes, at least 64."""
        answer = self._ask({"schema": json.dumps(schema), "values": values, "block": block})
        return [bytes.fromhex(body) for body in answer["bodies"]]

    def read(self, schema: Any, bodies: list[bytes]) -> list[Any]:
        """The values of these bodies."""
        rows, _ = self.resolve(schema, bodies, None)
        assert all("value" in row for row in rows), (schema, rows)
        return [row["value"] for row in rows]

    def resolve(self, schema: Any, bodies: list[bytes], reader: Any) -> tuple[list[dict[str, Any]], list[str]]:
        """Each body read as another schema, a "value" or an "error"; and why the schemas are not compatible."""
        request = {"schema": json.dumps(schema), "bodies": [body.hex() for body in bodies]}
        if reader is not None:
            request["reader"] = json.dumps(reader)
        answer = self._ask(request)
        return answer["rows"], answer["incompatible"]

    def close(self) -> None:
        """Ends the process."""
        with self._process, self._errors:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
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
            raise RuntimeError(f"Avro's Java ended with exit status {status} at {line}:\n{errors}")
        found: dict[str, Any] = json.loads(answer)
        if "failure" in found:
            raise RuntimeError(f"Avro's Java failed at {line}:\n{found['failure']}")
        return found
