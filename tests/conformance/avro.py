"""Apache Avro's Java as a judge: it writes bodies and reads them. Driver.java tells the form of values."""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.driver import Driver

VERSION = "1.12.1"


class Avro(Driver):
    """Apache Avro's Java."""

    def __init__(self) -> None:
        super().__init__("Driver.java", "avro.pom.xml", VERSION)

    def write(self, schema: Any, values: list[Any], *, block: int | None = None) -> list[bytes]:
        """Bodies of these values. block: arrays and maps in blocks of about so many bytes, at least 64."""
        answer = self.ask({"schema": json.dumps(schema), "values": values, "block": block})
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
        answer = self.ask(request)
        return answer["rows"], answer["incompatible"]
