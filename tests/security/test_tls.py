"""TLS: whom the client trusts, and whom the broker does."""

import pytest

import pykafarr
from tests.security.conftest import greets
from tests.servers import ports
from tests.servers.secured import KEY_PASSWORD


@pytest.fixture
def trusting(kafka):
    return {"security.protocol": "SSL", "ssl.ca.location": str(kafka.authority.file)}


def shown(identity, password=None):
    files = {"ssl.certificate.location": str(identity.certificate), "ssl.key.location": str(identity.key)}
    return files | ({"ssl.key.password": password} if password else {})


def test_a_broker_with_a_good_certificate_is_read(listen, trusting):
    assert greets(listen("TLS", trusting))


def test_an_authority_may_be_given_as_text(kafka, listen):
    assert greets(listen("TLS", {"security.protocol": "SSL", "ssl.ca.pem": kafka.authority.file.read_text()}))


def refused(listener, match):
    with pytest.raises(pykafarr.AuthenticationError, match=f"^TLS: {match}") as caught:
        listener.poll(1, 0)
    return str(caught.value)


def test_an_expired_certificate_is_told_as_such(listen, trusting):
    text = refused(listen("EXPIRED", trusting), "certificate verify failed: .*certificate has expired")
    assert ports.HOST in text


def test_a_certificate_of_an_unknown_authority_is_told_with_what_is_trusted(kafka, listen):
    config = {"security.protocol": "SSL", "ssl.ca.location": str(kafka.stranger.file)}
    assert "stranger.pem" in refused(listen("TLS", config), "certificate verify failed: .*unknown authority")


def test_the_system_s_authorities_are_those_without_a_ca(listen):
    text = refused(listen("TLS", {"security.protocol": "SSL"}), "certificate verify failed: .*unknown authority")
    assert "there is no ssl.ca.location" in text


def test_a_certificate_for_another_host_is_refused_unless_the_check_is_switched_off(listen, trusting):
    refused(listen("OTHERHOST", trusting), "certificate verify failed: .*for another host")
    assert greets(listen("OTHERHOST", trusting | {"ssl.endpoint.identification.algorithm": "none"}))


def test_switching_the_host_check_off_leaves_the_others_on(kafka, listen):
    config = {"security.protocol": "SSL", "ssl.ca.location": str(kafka.stranger.file)}
    refused(
        listen("OTHERHOST", config | {"ssl.endpoint.identification.algorithm": "none"}), "certificate verify failed"
    )


def test_a_client_with_a_certificate_is_let_in(kafka, listen, trusting):
    assert greets(listen("MUTUAL", trusting | shown(kafka.client, KEY_PASSWORD)))


def test_a_missing_client_certificate_is_told_as_such(listen, trusting):
    refused(listen("MUTUAL", trusting), "the broker wants a certificate of the client, and none is configured")


def test_a_client_certificate_that_the_broker_does_not_trust_is_told_as_such(kafka, listen, trusting):
    refused(
        listen("MUTUAL", trusting | shown(kafka.stranger.sign("eve"))), "the broker refused the client's certificate"
    )


def test_a_wrong_password_of_the_key_is_told_when_opening(kafka, listen, trusting):
    with pytest.raises(pykafarr.ConfigError, match=r"ssl\.key\.location") as caught:
        listen("MUTUAL", trusting | shown(kafka.client, "does not open it"))
    assert "does not open it" not in str(caught.value)


@pytest.mark.parametrize(("name", "config"), [("OPEN", {"security.protocol": "SSL"}), ("TLS", {})])
def test_tls_on_one_side_only_is_told_after_ready_timeout_with_the_connection_s_failure(listen, name, config):
    with pytest.raises(pykafarr.BrokerError, match=r"can be reached .*closed by peer"):
        listen(name, config, ready_timeout=1500).poll(1, 0)
