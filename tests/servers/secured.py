"""A Kafka node that wants credentials: a listener per way of asking for them, side by side, and an open one.

It has ACLs, and the transactions of brokers before KIP-890.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from . import folder, ports
from .certificates import Authority
from .kafka import Kafka, since

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confluent_kafka.admin import AdminClient

USER = "anna"
PASSWORD = "anna's own password"
# They have the same password, and may do what ACLs allow them; whoever else gets in may do everything.
GUEST, VISITOR = "greg", "vera"
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
KEY_PASSWORD = "opens the key"

# Listener names and the protocol of each: PLAIN and SCRAM without and with TLS, unsigned tokens, TLS with the right
# certificate and two wrong ones, TLS that wants a certificate from the client, and SCRAM that is asked for again.
_LISTENERS = {
    "OPEN": "PLAINTEXT",
    "SASL": "SASL_PLAINTEXT",
    "SASLTLS": "SASL_SSL",
    "TOKEN": "SASL_PLAINTEXT",
    "TLS": "SSL",
    "EXPIRED": "SSL",
    "OTHERHOST": "SSL",
    "MUTUAL": "SSL",
    "AGAIN": "SASL_PLAINTEXT",
}
SESSION_MS = 2500  # of a login at AGAIN
SHORT_SESSION_MS = 1500  # of one by PLAIN: clients renew it sooner than the broker lets them
_MODULES = "org.apache.kafka.common.security"


@contextlib.contextmanager
def start() -> Iterator[SecuredKafka]:
    """Starts the node; stops it and removes its data at the end."""
    with folder.temporary() as place, contextlib.ExitStack() as cleanup:
        kafka = SecuredKafka(place)
        logins = [(USER, SCRAM[0]), (USER, SCRAM[1]), (GUEST, SCRAM[0]), (VISITOR, SCRAM[0])]
        more = [f"--add-scram={mechanism}=[name={user},password={PASSWORD}]" for user, mechanism in logins]
        if since(4, 0):
            more.append("--feature=transaction.version=1")
        kafka.format(*more)
        cleanup.callback(kafka.process.stop)
        kafka.start()
        yield kafka


class SecuredKafka(Kafka):
    """The node. `servers` is the listener that asks nobody, `at(name)` another one."""

    def __init__(self, place: Path) -> None:
        self.authority = Authority(place, "authority")
        self.stranger = Authority(place, "stranger")
        self.client = self.authority.sign("client", password=KEY_PASSWORD)
        self._ports = dict(zip(_LISTENERS, ports.free(len(_LISTENERS)), strict=True))
        self._certificates = {
            "EXPIRED": self.authority.sign("expired", ports.HOST, expired=True),
            "OTHERHOST": self.authority.sign("otherhost", "kafka.example.com"),
        }
        for name in ("SASLTLS", "TLS", "MUTUAL"):
            self._certificates[name] = self.authority.sign(name.lower(), ports.HOST)
        self._admin: AdminClient | None = None
        super().__init__(place / "kafka")
        self._port, self.servers = self._ports["OPEN"], self.at("OPEN")

    def at(self, name: str) -> str:
        """The bootstrap servers of a listener."""
        return f"{ports.HOST}:{self._ports[name]}"

    @property
    def admin(self) -> AdminClient:
        """confluent-kafka's AdminClient for this broker; it may do everything."""
        if self._admin is None:
            # Not at the top: only this needs the package.
            from confluent_kafka.admin import AdminClient

            self._admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 2})
        return self._admin

    def create_topic(self, name: str, partitions: int = 1) -> None:
        """Creates a topic."""
        from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # as in cluster.py

        self.admin.create_topics([NewTopic(name, partitions, 1)])[name].result(30)

    def allow(self, user: str, kind: str, name: str, *operations: str) -> None:
        """Lets a user do something: allow(GUEST, "TOPIC", "prices", "DESCRIBE", "WRITE")."""
        from confluent_kafka.admin import (  # type: ignore[attr-defined]  # likewise
            AclBinding,
            AclOperation,
            AclPermissionType,
            ResourcePatternType,
            ResourceType,
        )

        made = [
            AclBinding(
                *(ResourceType[kind], name, ResourcePatternType.LITERAL, f"User:{user}", "*"),
                *(AclOperation[operation], AclPermissionType.ALLOW),
            )
            for operation in operations
        ]
        for future in self.admin.create_acls(made).values():
            future.result(30)

    def _addresses(self) -> str:
        everywhere = ",".join(f"{name}://{self.at(name)}" for name in _LISTENERS)
        controller = f"{ports.HOST}:{self._controller_port}"
        lines = [
            "node.id=1",
            f"listeners={everywhere},CONTROLLER://{controller}",
            f"advertised.listeners={everywhere}",
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,"
            + ",".join(f"{name}:{protocol}" for name, protocol in _LISTENERS.items()),
            "inter.broker.listener.name=OPEN",
            f"controller.quorum.voters=1@{controller}",
            # The session of a token ends with it, for whoever does not show a newer one.
            "connections.max.reauth.ms=60000",
            "listener.name.token.sasl.enabled.mechanisms=OAUTHBEARER",
            f"listener.name.token.oauthbearer.sasl.jaas.config={_MODULES}.oauthbearer.OAuthBearerLoginModule required;",
            f"listener.name.again.scram-sha-256.connections.max.reauth.ms={SESSION_MS}",
            f"listener.name.again.plain.connections.max.reauth.ms={SHORT_SESSION_MS}",
            "listener.name.mutual.ssl.client.auth=required",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            f"super.users=User:ANONYMOUS;User:{USER};User:CN=client",
        ]
        for name in ("sasl", "sasltls", "again"):
            lines.append(f"listener.name.{name}.sasl.enabled.mechanisms=PLAIN,{','.join(SCRAM)}")
            plain = f'{_MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
            lines.append(f"listener.name.{name}.plain.sasl.jaas.config={plain}")
            for mechanism in SCRAM:
                module = f"{_MODULES}.scram.ScramLoginModule required;"
                lines.append(f"listener.name.{name}.{mechanism.lower()}.sasl.jaas.config={module}")
        for name, identity in self._certificates.items():
            prefix = f"listener.name.{name.lower()}.ssl"
            lines += [f"{prefix}.keystore.type=PEM", f"{prefix}.keystore.location={identity.both}"]
            lines += [f"{prefix}.truststore.type=PEM", f"{prefix}.truststore.location={self.authority.file}"]
        return "\n".join(lines) + "\n"
