"""Secrets are nowhere to be seen: not in errors and tracebacks, log lines, representations, counters, arguments."""

import contextlib
import json
import logging
import subprocess
import sys
import traceback

import pytest

import pykafarr
from pykafarr.testing import MockKafka
from tests.security.conftest import TOPIC
from tests.security.http import Server
from tests.servers import ports
from tests.servers.secured import KEY_PASSWORD, PASSWORD, USER

PLANTED = "planted-secret"


@pytest.fixture
def seen(caplog, capfd):
    """Takes what a listener shows of itself, and gives all that was shown in the end, printed and logged."""
    caplog.set_level(logging.DEBUG)
    shown = []

    def look(*things):
        for thing in things:
            shown.extend([str(thing), repr(thing)])
            if isinstance(thing, BaseException):
                shown.append(repr((thing.args, vars(thing), thing.__cause__, thing.__context__)))
                told = traceback.TracebackException.from_exception(thing, capture_locals=True)
                # The test's own frame comes first, and names what it has planted.
                told.stack[:] = [frame for frame in told.stack if "pykafarr/_" in frame.filename]
                shown.extend(told.format())
        return "\n".join([*shown, *caplog.messages, *capfd.readouterr()])

    return look


def planted(number):
    return f"{PLANTED}-{number}"


def variables(monkeypatch, names):
    """Each name with a secret of its own, in an environment variable."""
    found = {}
    for number, name in enumerate(names):
        monkeypatch.setenv(f"SECRET_{number}", planted(number))
        found[name] = pykafarr.from_env(f"SECRET_{number}")
    return found


EVERYTHING = {"debug": "all", "reconnect.backoff.max.ms": 300}


@pytest.mark.parametrize(
    ("address", "config", "names"),
    [
        ("SASL", {"sasl.mechanism": "PLAIN"}, ["sasl.password"]),
        ("SASL", {"sasl.mechanism": "SCRAM-SHA-512"}, ["sasl.password"]),
        ("TOKEN", {"sasl.mechanism": "PLAIN"}, ["sasl.password"]),
        ("TLS", {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}, ["sasl.password", "ssl.key.password"]),
        ("MUTUAL", {"security.protocol": "SSL"}, ["ssl.key.password", "ssl.keystore.password"]),
        (
            "TOKEN",
            {
                "sasl.mechanism": "OAUTHBEARER",
                "sasl.oauthbearer.method": "oidc",
                "sasl.oauthbearer.client.id": "reader",
            },
            ["sasl.oauthbearer.client.secret"],
        ),
    ],
)
def test_failed_logins_show_no_secret_however_much_is_logged(listen, seen, monkeypatch, address, config, names):
    with contextlib.ExitStack() as stack:
        if "sasl.oauthbearer.method" in config:
            endpoint = stack.enter_context(Server(lambda request: (401, {"error": request.headers["Authorization"]})))
            config = config | {"sasl.oauthbearer.token.endpoint.url": f"{endpoint.url}/token"}
        protocol = {"security.protocol": "SASL_PLAINTEXT", "sasl.username": USER}
        secrets = variables(monkeypatch, names)
        listener = listen(address, EVERYTHING | protocol | config | secrets, ready_timeout=1500)
        with pytest.raises(pykafarr.BrokerError) as caught:
            listener.poll(1, 0)
        text = seen(caught.value, listener, listener.stats(), secrets)
        listener.close(commit=False)
        text += seen(listener)
    assert "SECRET_0" in text  # where it lies may be seen
    assert PLANTED not in text


@pytest.mark.parametrize(
    "config",
    [
        {"ssl.key.pem": "-----BEGIN PRIVATE KEY-----\nplanted-secret\n-----END PRIVATE KEY-----"},
        {"sasl.jaas.config": "org.Module required password=planted-secret;"},
        {"sasl.password": ["planted-secret"]},
        {"sasl.password": "planted-secret\0"},
        {"sasl.password": "planted-secret\ud800"},
        {"sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.client.secret": "planted-secret"},
    ],
    ids=["key", "jaas", "list", "NUL", "surrogate", "incomplete"],
)
def test_a_refused_configuration_does_not_show_the_secret(kafka, seen, config):
    base = {"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", "ssl.ca.location": kafka.authority.file}
    merged = base | {"ssl.ca.location": str(kafka.authority.file)} | config
    with pytest.raises((pykafarr.ConfigError, TypeError)) as caught:
        pykafarr.listener(kafka.at("SASLTLS"), "g", TOPIC, None, value="string", config=merged)
    error = caught.value
    assert PLANTED not in "\n".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])


def test_a_token_is_not_shown(listen, seen):
    given = pykafarr.OAuthToken(PLANTED + "-token", 4_000_000_000_000, "anna")
    bearer = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER"}
    listener = listen("TOKEN", EVERYTHING | bearer, oauth_token=lambda: given)
    with pytest.raises(pykafarr.AuthenticationError) as caught:
        listener.poll(1, 0)
    assert PLANTED not in seen(caught.value, listener, given)


def test_a_registry_that_echoes_what_it_was_given_shows_nothing(seen, monkeypatch):
    def echo(request):
        return 401, {"error_code": 40101, "message": f"you sent {request.headers['Authorization']} {planted(0)}"}

    with MockKafka() as kafka, Server(echo) as server:
        kafka.produce("t", '"long"', [1])
        with_user = server.url.replace("://", f"://anna:{planted(0)}@")
        monkeypatch.setenv("REGISTRY_URL", with_user)
        logins = [
            (pykafarr.from_env("REGISTRY_URL"), {}),
            (server.url, variables(monkeypatch, ["bearer.auth.token"])),
            (server.url, {"basic.auth.user.info": pykafarr.from_env("USER_INFO")}),
        ]
        monkeypatch.setenv("USER_INFO", f"anna:{planted(0)}")
        for number, (url, registry_config) in enumerate(logins):
            config = {"auto.offset.reset": "earliest"}
            group = f"g-{number}"
            with pykafarr.listener(kafka.servers, group, "t", url, config=config, registry_config=registry_config) as p:
                with pytest.raises(pykafarr.RegistryError, match=r"401: you sent .*\*\*\*") as caught:
                    p.poll(1, 2000)
                assert PLANTED not in seen(caught.value, p, registry_config, url)


def test_a_url_that_is_none_does_not_show_its_password(seen):
    with pytest.raises(pykafarr.ConfigError) as caught:
        pykafarr.listener("a:1", "g", "t", f"http://anna:{PLANTED}/x@registry:8081")
    assert PLANTED not in str(caught.value)


@pytest.mark.parametrize("kind", ["file", "env"])
def test_the_command_line_takes_secrets_by_file_and_by_variable(kafka, tmp_path, monkeypatch, kind):
    places = {}
    for name, secret in (("PASSWORD", PASSWORD), ("KEY_PASSWORD", KEY_PASSWORD)):
        (tmp_path / name).write_text(secret + "\n")
        monkeypatch.setenv(name, secret)
        places[name] = str(tmp_path / name) if kind == "file" else name
    plain = {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": kafka.authority.file,
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": USER,
        "ssl.certificate.location": kafka.client.certificate,
        "ssl.key.location": kafka.client.key,
    }
    command = [sys.executable, "-m", "pykafarr", "read", "--servers", kafka.at("SASLTLS"), "--topics", TOPIC]
    command += ["--value", "avro"]
    # The topic's message is no Avro: an error of decoding means that the login was right.
    command += ["--registry", f"http://{ports.HOST}:1", "--from-beginning", "--idle-timeout", "20000"]
    for name, value in plain.items():
        command += ["--config", f"{name}={value}"]
    command += [f"--config-{kind}", f"sasl.password={places['PASSWORD']}"]
    command += [f"--config-{kind}", f"ssl.key.password={places['KEY_PASSWORD']}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "FramingError" in done.stderr, done.stderr
    assert PASSWORD not in json.dumps([*command, done.stdout, done.stderr])
