"""Variables that a program sets for itself: the library heeds them as they are when something is opened."""

from __future__ import annotations

import contextlib
import ssl
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from pykafarr.testing import MockKafka
from tests.security.http import Server, forward
from tests.servers import ports
from tests.servers.certificates import Authority

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Python = Callable[..., subprocess.CompletedProcess[str]]

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")

READ = """
import os, pykafarr
def read(registry, **options):
    config = {{"auto.offset.reset": "earliest"}}
    with pykafarr.listener({servers!r}, str(os.getpid()), "t", registry, config=config, **options) as p:
        assert list(p.poll(1, 30000)[1]["value"]) == [7]
    frames = pykafarr.read({servers!r}, "t", registry, timeout=10000, **options).to_pandas()
    assert list(frames["long"]["value"]) == [7]
"""


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka() as running:
        running.produce("t", '"long"', [7])
        yield running


@pytest.fixture
def run(python: Python, kafka: MockKafka) -> Callable[[str], None]:
    """Runs a program that begins without any of the variables."""

    def run(script: str) -> None:
        unset = {name: "" for each in VARIABLES for name in (each, each.lower())}
        python(textwrap.dedent(script).replace("READ", READ.format(servers=kafka.servers)), prelude="", **unset)

    return run


@contextlib.contextmanager
def proxy(kafka: MockKafka) -> Iterator[tuple[str, list[str]]]:
    """A proxy for HTTP that knows one registry and its token endpoint, and the addresses that it was asked for."""
    asked: list[str] = []

    def answer(request: Any) -> tuple[int, Any]:
        asked.append(request.path)
        if request.path == "http://tokens.example/token":
            return 200, {"access_token": "T", "token_type": "Bearer"}
        if not request.path.startswith("http://registry.example:8081/"):
            return 502, {"message": "unknown host"}
        request.path = request.path.removeprefix("http://registry.example:8081")
        return forward(kafka.registry_url, request)

    with Server(answer) as server:
        yield server.url, asked


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_the_registry_is_asked_through_the_proxy_that_the_program_names(
    kafka: MockKafka, run: Callable[[str], None], name: str
) -> None:
    with proxy(kafka) as (url, asked):
        run(f"""
            import os
            os.environ[{name!r}] = {url!r}
            READ
            read("http://registry.example:8081")
            os.environ[{name!r}] = ""
            try:
                pykafarr.read({kafka.servers!r}, "t", "http://registry.example:8081", timeout=1000).to_pandas()
            except pykafarr.RegistryError:
                pass
            else:
                raise AssertionError("the proxy that is named no more was asked")
        """)
    assert len([path for path in asked if "/schemas/ids/" in path]) == 2


def test_a_token_endpoint_is_asked_through_the_proxy_too(kafka: MockKafka, run: Callable[[str], None]) -> None:
    with proxy(kafka) as (url, asked):
        run(f"""
            import os
            os.environ["HTTP_PROXY"] = {url!r}
            READ
            read("http://registry.example:8081", registry_config={{
                "bearer.auth.credentials.source": "OAUTHBEARER", "bearer.auth.issuer.endpoint.url": "http://tokens.example/token",
                "bearer.auth.client.id": "id", "bearer.auth.client.secret": "secret", "bearer.auth.scope": "all",
                "bearer.auth.logical.cluster": "lsrc-1", "bearer.auth.identity.pool.id": "pool-1",
            }})
        """)
    assert "http://tokens.example/token" in asked


def test_no_proxy_is_heeded(kafka: MockKafka, run: Callable[[str], None]) -> None:
    with proxy(kafka) as (url, asked):
        run(f"""
            import os
            os.environ["HTTP_PROXY"] = {url!r}
            os.environ["NO_PROXY"] = "registry.example"
            READ
            try:
                pykafarr.read({kafka.servers!r}, "t", "http://registry.example:8081", timeout=1000).to_pandas()
            except pykafarr.RegistryError:
                pass
            else:
                raise AssertionError("the proxy was asked")
        """)
    assert not asked


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_registrys_certificate_is_trusted_by_the_authority_that_the_program_names(
    kafka: MockKafka, run: Callable[[str], None], tmp_path: Path, name: str
) -> None:
    (tmp_path / "trusted").mkdir()
    authority = Authority(tmp_path / "trusted", "authority")
    served = authority.sign("registry", ports.HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(served.both)
    value = authority.file if name == "SSL_CERT_FILE" else authority.file.parent
    with Server(lambda request: forward(kafka.registry_url, request), context) as server:
        run(f"""
            import os
            READ
            try:
                pykafarr.read({kafka.servers!r}, "t", {server.url!r}, timeout=1000).to_pandas()
            except pykafarr.RegistryError as error:
                assert "unknown authority" in str(error), error
            else:
                raise AssertionError("an authority was trusted that nobody names")
            os.environ[{name!r}] = {str(value)!r}
            read({server.url!r})
        """)
