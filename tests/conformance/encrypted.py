"""Writes tests/unit/encrypted.json: what confluent-kafka's own serializer encrypts by rules, and the keys it registers.

It needs the packages tink and hkdf besides those of the tests: python -m tests.conformance.encrypted
"""

from __future__ import annotations

import base64
import json
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import Clock, FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pykafarr.testing import MockKafka

TARGET = Path(__file__).resolve().parents[1] / "unit" / "encrypted.json"
SECRET = "a secret of the tests"
DAY = 24 * 60 * 60 * 1000

CARD = {
    "type": "record",
    "name": "Card",
    "fields": [{"name": "number", "type": "string", "confluent:tags": ["PCI"]}, {"name": "kind", "type": "string"}],
}
SCHEMA = {
    "type": "record",
    "name": "Customer",
    "namespace": "com.example",
    "fields": [
        {"name": "id", "type": "int"},
        {"name": "ssn", "type": "string", "confluent:tags": ["PII"]},
        {"name": "photo", "type": "bytes", "confluent:tags": ["PII"]},
        {"name": "email", "type": ["null", "string"], "confluent:tags": ["PII"]},
        {"name": "names", "type": {"type": "array", "items": "string"}, "confluent:tags": ["PII"]},
        {"name": "card", "type": CARD},
    ],
}
ROWS = [
    {"id": 1, "ssn": "123-45", "photo": b"\0\xff", "email": "a@b", "names": ["x", "ÿ€"], "card": ["4711", "gold"]},
    {"id": 2, "ssn": "", "photo": b"", "email": None, "names": [], "card": ["", "none"]},
    {"id": 3, "ssn": "s" * 300, "photo": b"p" * 700, "email": "c@d", "names": ["z"] * 3, "card": ["0815", "blue"]},
]


class Keys:
    """A registry that keeps keys, before one that keeps schemas."""

    def __init__(self, schemas: str) -> None:
        self.keks: dict[str, dict[str, Any]] = {}
        self.deks: list[dict[str, Any]] = []
        self.later = 0
        keys = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(None)

            def do_POST(self) -> None:
                self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def answer(self, sent: dict[str, Any] | None) -> None:
                if self.path.startswith("/dek-registry/"):
                    found = keys.answer(self.path, sent)
                    status, body = (404, b'{"error_code": 40470, "message": "Key not found"}')
                    if found is not None:
                        status, body = 200, json.dumps(found).encode()
                else:
                    status, body = keys.passed_on(schemas + self.path, sent)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @staticmethod
    def passed_on(url: str, sent: dict[str, Any] | None) -> tuple[int, bytes]:
        body = None if sent is None else json.dumps(sent).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body)) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def answer(self, path: str, sent: dict[str, Any] | None) -> dict[str, Any] | None:
        """What a request for keys gets."""
        parts = urlsplit(path).path.split("/")[3:]
        if parts == ["keks"] and sent is not None:
            self.keks[sent["name"]] = sent
            return sent
        if len(parts) == 2:
            return self.keks.get(parts[1])
        if sent is not None:
            made = {**sent, "kekName": parts[1], "subject": sent.get("subject", parts[-1])}
            made = {"version": 1, **made, "ts": int(time.time() * 1000) + self.later}
            self.deks.append(made)
            return made
        algorithm = parse_qs(urlsplit(path).query).get("algorithm", ["AES256_GCM"])[0]
        mine = [d for d in self.deks if (d["subject"], d["algorithm"]) == (parts[3], algorithm)]
        if len(parts) == 6 and parts[5] not in {"-1", "latest"}:
            mine = [d for d in mine if d["version"] == int(parts[5])]
        return mine[-1] if mine else None


def _plain(key: dict[str, Any]) -> str:
    """A data key as a registry gives it that decrypts it itself."""
    local = HKDF(SHA256(), 16, None, None).derive(SECRET.encode())
    sealed = base64.b64decode(key["encryptedKeyMaterial"])
    return base64.b64encode(AESGCM(local).decrypt(sealed[:12], sealed[12:], None)).decode()


class _Later(Clock):  # type: ignore[misc]  # it has no types
    """A clock that is ahead."""

    def __init__(self, later: int) -> None:
        self._later = later

    def now(self) -> int:
        """Milliseconds."""
        return int(time.time() * 1000) + self._later


def encrypted(kafka: MockKafka, algorithm: str, days: int) -> dict[str, Any]:
    """One case: the schema as it was registered, the answers about keys, and the bodies of the rows."""
    subject = f"{algorithm}-{days}-value"
    rule = {
        "name": "hidePII",
        "kind": "TRANSFORM",
        "type": "ENCRYPT",
        "mode": "WRITEREAD",
        "tags": ["PII", "PCI"],
        "params": {
            "encrypt.kek.name": "kek",
            "encrypt.kms.type": "local-kms",
            "encrypt.kms.key.id": "mykey",
            "encrypt.dek.algorithm": algorithm,
            **({"encrypt.dek.expiry.days": str(days)} if days else {}),
        },
    }
    registered = {
        "schema": json.dumps(SCHEMA),
        "ruleSet": {"domainRules": [rule]},
    }
    keys = Keys(kafka.registry_url)
    keys.passed_on(f"{kafka.registry_url}/subjects/{subject}/versions", registered)
    bodies = []
    for later in (0, 2 * DAY * days):  # so that the second half is written with another version, if keys expire
        keys.later = later
        client = SchemaRegistryClient({"url": keys.url})
        executor = FieldEncryptionExecutor(_Later(later))
        serializer = AvroSerializer(
            client,
            conf={"auto.register.schemas": False, "use.latest.version": True},
            rule_conf={"secret": SECRET},
            rule_registry=_registry_of(executor),
        )
        context = SerializationContext(subject.removesuffix("-value"), MessageField.VALUE)
        for row in ROWS:
            card = {"number": row["card"][0], "kind": row["card"][1]}
            body = serializer({**row, "names": list(row["names"]), "card": card}, context)
            bodies.append(base64.b64encode(body[5:]).decode())
    keys.server.shutdown()
    keys.server.server_close()
    return {
        "subject": subject,
        "registered": registered,
        "keks": keys.keks,
        "deks": keys.deks,
        "plain": _plain(keys.deks[0]),
        "bodies": bodies,
    }


def _registry_of(executor: FieldEncryptionExecutor) -> Any:
    registry = RuleRegistry()
    registry.register_executor(executor)
    return registry


def main() -> None:
    """Writes the file."""
    LocalKmsDriver.register()
    with MockKafka() as kafka:
        cases = [encrypted(kafka, *case) for case in (("AES256_GCM", 0), ("AES128_GCM", 0), ("AES256_GCM", 1))]
    TARGET.write_text(json.dumps({"secret": SECRET, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
