"""SASL PLAIN and SCRAM, with right and wrong passwords."""

import time

import pytest

import pykafarr
from tests.security.conftest import greets
from tests.servers.secured import PASSWORD, USER

MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


def login(mechanism, password=PASSWORD, user=USER, **more):
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": mechanism,
        "sasl.username": user,
        "sasl.password": password,
        **more,
    }


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_right_password_reads(listen, mechanism):
    assert greets(listen("SASL", login(mechanism)))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_right_password_reads_over_tls(kafka, listen, mechanism):
    tls = {"security.protocol": "SASL_SSL", "ssl.ca.location": str(kafka.authority.file)}
    assert greets(listen("SASLTLS", login(mechanism) | tls))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_wrong_password_is_told_at_once_with_mechanism_and_user_and_without_the_password(listen, mechanism):
    listener = listen("SASL", login(mechanism, "not her password"))
    begun = time.monotonic()
    with pytest.raises(
        pykafarr.AuthenticationError, match=f"^{mechanism} as {USER}: .*[Aa]uthentication failed"
    ) as caught:
        listener.poll(1, 0)
    assert time.monotonic() - begun < 10  # of the 20 s of ready_timeout
    assert "not her password" not in str(caught.value)


def test_an_unknown_user_is_named(listen):
    with pytest.raises(pykafarr.AuthenticationError, match=r"^SCRAM-SHA-256 as eve: "):
        listen("SASL", login("SCRAM-SHA-256", user="eve")).poll(1, 0)


def test_a_mechanism_that_the_broker_does_not_have_is_an_error_that_names_it(listen):
    token = {"sasl.oauthbearer.config": "principal=anna", "enable.sasl.oauthbearer.unsecure.jwt": True}
    with pytest.raises(pykafarr.AuthenticationError, match=r"^OAUTHBEARER: .*supported mechanisms"):
        listen("SASL", {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER", **token}).poll(1, 0)


def test_a_login_that_goes_on_failing_is_told_by_every_poll(listen):
    listener = listen("SASL", login("PLAIN", "wrong"))
    for _ in range(4):  # the client tries again between two of them
        with pytest.raises(pykafarr.AuthenticationError, match=r"^PLAIN as anna: .*failed"):
            listener.poll(1, 0)


@pytest.mark.parametrize("read", [pykafarr.from_env, pykafarr.from_file])
def test_a_password_may_lie_in_a_variable_or_a_file(listen, monkeypatch, tmp_path, read):
    monkeypatch.setenv("ANNAS_PASSWORD", PASSWORD)
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    where = "ANNAS_PASSWORD" if read is pykafarr.from_env else file
    assert greets(listen("SASL", login("SCRAM-SHA-512", read(where))))
