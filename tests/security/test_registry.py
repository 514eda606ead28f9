"""A registry behind a login or TLS: what stands before it here is a proxy, behind which is the embedded one."""

import base64
import contextlib
import itertools
import ssl
import urllib.parse

import pytest

import pykafarr
from pykafarr.testing import MockKafka
from tests.security.http import Server, forward
from tests.servers import ports
from tests.servers.certificates import Authority

_groups = itertools.count()


@pytest.fixture(scope="module")
def kafka():
    with MockKafka() as running:
        running.produce("t", '"long"', [7])
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@contextlib.contextmanager
def guarded(kafka, wanted=None, tls=None):
    """The registry, for whoever sends this Authorization header; its address."""
    refusal = 401, {"error_code": 40101, "message": "Unauthorized"}

    def answer(request):
        if request.path == "/token":
            right = request.headers.get("Authorization") == basic("reader:readers-only")
            return (200, {"access_token": "T", "token_type": "Bearer"}) if right else (401, {"error": "invalid_client"})
        if wanted and request.headers.get("Authorization") != wanted:
            return refusal
        return forward(kafka.registry_url, request)

    with Server(answer, tls) as server:
        yield server.url


def basic(user_info):
    return "Basic " + base64.b64encode(user_info.encode()).decode()


def read(kafka, url, registry_config):
    config = {"auto.offset.reset": "earliest"}
    with pykafarr.listener(
        kafka.servers, f"g-{next(_groups)}", "t", url, config=config, registry_config=registry_config
    ) as p:
        try:
            return list(p.poll(1, 1000)[1]["value"])
        finally:
            p.close(commit=False)


def oauth(url, secret):
    return {
        "bearer.auth.issuer.endpoint.url": f"{url}/token",
        "bearer.auth.client.id": "reader",
        "bearer.auth.client.secret": secret,
    }


@pytest.mark.parametrize(
    ("wanted", "login"),
    [
        (basic("anna:s3cr3t"), lambda url, right: {"basic.auth.user.info": "anna:" + ("s3cr3t" if right else "wrong")}),
        ("Bearer tok3n", lambda url, right: {"bearer.auth.token": "tok3n" if right else "other"}),
        ("Bearer T", lambda url, right: oauth(url, "readers-only" if right else "sesame-opens")),
    ],
    ids=["basic", "bearer", "OAuth"],
)
def test_the_right_login_reads_and_a_wrong_one_is_told_at_once(kafka, wanted, login):
    with guarded(kafka, wanted) as url:
        assert read(kafka, url, login(url, True)) == [7]
        with pytest.raises(pykafarr.RegistryError, match="401") as caught:
            read(kafka, url, login(url, False))
    assert not isinstance(caught.value, pykafarr.SchemaNotFoundError)
    assert urllib.parse.urlsplit(url).netloc in str(caught.value)


def test_a_login_may_stand_in_the_address(kafka):
    with guarded(kafka, basic("anna:s3cr3t")) as url:
        assert read(kafka, url.replace("://", "://anna:s3cr3t@"), {}) == [7]


def server_side(identity, clients=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.both)
    if clients:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.mark.parametrize(
    ("hosts", "expired", "trusted", "cause"),
    [
        ([ports.HOST], False, True, None),
        ([ports.HOST], False, False, "unknown authority"),
        ([ports.HOST], True, True, "certificate has expired"),
        (["registry.example.com"], False, True, "cannot validate certificate for"),
    ],
    ids=["good", "untrusted", "expired", "another host"],
)
def test_the_registry_s_certificate_is_verified(kafka, authority, hosts, expired, trusted, cause):
    identity = authority.sign(f"registry-{expired}", *hosts, expired=expired)
    with guarded(kafka, tls=server_side(identity)) as url:
        registry_config = {"ssl.ca.location": str(authority.file)} if trusted else {}
        if cause is None:
            assert read(kafka, url, registry_config) == [7]
        else:
            with pytest.raises(pykafarr.RegistryError, match=f"certificate.*{cause}|{cause}"):
                read(kafka, url, registry_config)


def test_a_registry_that_wants_a_certificate_gets_it(kafka, authority):
    registry, client = authority.sign("registry", ports.HOST), authority.sign("registry-client")
    trusting = {"ssl.ca.location": str(authority.file)}
    shown = {"ssl.certificate.location": str(client.certificate), "ssl.key.location": str(client.key)}
    with guarded(kafka, tls=server_side(registry, authority.file)) as url:
        assert read(kafka, url, trusting | shown) == [7]
        # The server hangs up after its alert, and either may be met first.
        with pytest.raises(pykafarr.RegistryError, match=r"certificate required|reset by peer|broken pipe"):
            read(kafka, url, trusting)
