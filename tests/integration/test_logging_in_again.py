"""Sending for longer than a login lasts: the broker ends connections that do not log in again in time."""

import time

import pytest
from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

import pykafarr
from tests.integration.account import Account
from tests.integration.test_rights import login, until_it_works
from tests.servers.secured import PASSWORD, SESSION_MS, USER


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN"])
@pytest.mark.parametrize("transactional", [False, True], ids=["rows", "transactions"])
def test_a_producer_logs_in_again_while_rows_are_on_their_way(cluster, secured, caplog, transactional, mechanism):
    account = Account(cluster.new_name(), 3, size=500)
    secured.create_topic(account.topic, 3)
    name = account.topic if transactional else None
    with pykafarr.producer(secured.at("AGAIN"), None, transactional_id=name, config=login(USER, mechanism)) as out:
        until = time.monotonic() + 1.8 * SESSION_MS / 1000
        while time.monotonic() < until:
            if transactional:
                with out.transaction() as t:
                    account.send(t, 300)
            else:
                account.send(out, 300)
            time.sleep(0.05)
        out.flush()
    if transactional:
        account.await_messages(secured, account.sent)
    assert account.compare(secured) == []
    if mechanism != "PLAIN":  # whose sessions are so short that some logins come too soon
        assert not [line for line in caplog.messages if "has no answer" in line or "was not sent" in line]


def test_a_login_that_is_refused_meanwhile_is_an_error_until_it_is_taken_again(cluster, secured):
    def change(password):
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
        change = UserScramCredentialUpsertion("ursula", info, password.encode())
        secured.admin.alter_user_scram_credentials([change])["ursula"].result(30)

    account = Account(cluster.new_name())
    secured.create_topic(account.topic)
    secured.allow("ursula", "TOPIC", account.topic, "DESCRIBE", "WRITE")
    change(PASSWORD)
    with pykafarr.producer(secured.at("AGAIN"), None, config=login("ursula")) as out:
        until_it_works(lambda: account.send(out, 2).wait())
        change("another one")
        time.sleep(SESSION_MS / 1000)
        begun = time.monotonic()
        for _ in range(2):
            refused = account.send(out, 2)
            with pytest.raises(pykafarr.DeliveryError, match="SCRAM-SHA-256 as ursula"):
                refused.wait()
            (failure,) = refused.failures
            assert failure.state == "refused"
            assert isinstance(failure.error, pykafarr.AuthenticationError)
        assert time.monotonic() - begun < 20  # of the 5 minutes that rows have
        change(PASSWORD)
        until_it_works(lambda: account.send(out, 2).wait())
    assert account.compare(secured)[-4:] == [2, 3, 4, 5]
