"""OAUTHBEARER: tokens from a function, and from a token endpoint."""

import base64
import contextlib
import datetime as dt
import json
import threading
import time

import pytest
from confluent_kafka import Producer

import pykafarr
from tests.security.conftest import TOPIC, greets
from tests.security.http import Server

BEARER = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER"}


def token(seconds=300, principal="anna"):
    """An unsigned token, as the broker takes them here."""
    now = time.time()
    parts = ({"alg": "none"}, {"sub": principal, "iat": now - 1, "exp": now + seconds})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*texts, ""])


def milliseconds(seconds):
    return int((time.time() + seconds) * 1000)


@pytest.mark.parametrize(
    "give",
    [
        lambda: pykafarr.OAuthToken(token(), milliseconds(300), "anna"),
        lambda: (token(), dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=300)),
        lambda: (token(), milliseconds(300), "anna", {"traceId": "1"}),
    ],
    ids=["OAuthToken", "datetime", "extensions"],
)
def test_a_function_brings_the_token(listen, give):
    assert greets(listen("TOKEN", BEARER, oauth_token=give))


def test_tokens_are_renewed_while_nobody_polls_and_the_connection_lives_on(listen, caplog):
    asked = []

    def give():
        asked.append(threading.current_thread())
        return token(4), milliseconds(4), "anna"

    listener = listen("TOKEN", BEARER, oauth_token=give)
    assert greets(listener)
    first = len(asked)
    time.sleep(6)
    assert len(asked) >= first + 2
    assert threading.main_thread() not in asked
    assert listener.poll(1, 500)[0] is None  # no error: the broker ends sessions whose token has expired
    assert not [line for line in caplog.messages if "authentication" in line.lower()]
    assert listener.stats()["rebalances"] == 1


def test_dead_letters_are_written_with_tokens_of_the_same_function_which_are_renewed_too(kafka, listen):
    for topic in ("rejected", "letters"):
        kafka.create_topic(topic)
    asked = []

    def give():
        asked.append(time.monotonic())
        return token(4), milliseconds(4), "anna"

    listener = listen(
        "TOKEN",
        BEARER,
        topic="rejected",
        oauth_token=give,
        value="avro",
        framing="bare",
        schema='{"type": "record", "name": "R", "fields": [{"name": "s", "type": "string"}]}',
        errors="skip",
        dead_letter_topic="letters",
    )
    letters = listen("OPEN", {}, topic="letters")
    producer = Producer({"bootstrap.servers": kafka.servers, "log_level": 2})
    for text in (b"hello", b"howdy"):  # as Avro: strings that are longer than the message
        producer.produce("rejected", text)
        assert producer.flush(30) == 0
        deadline = time.monotonic() + 30
        while (found := letters.poll(1, 200)[1]).empty:
            assert time.monotonic() < deadline
            listener.poll(1, 200)
        assert list(found["value"]) == [text.decode()]
        listener.commit()
        before = len(asked)
        time.sleep(6)  # the first tokens have expired: the broker ends sessions and takes no login with them
        assert len(asked) >= before + 2  # both clients'


def test_a_function_without_a_token_for_dead_letters_is_named(kafka, listen):
    kafka.create_topic("rejected-too")
    kafka.create_topic("letters-too")
    answers = iter([(token(), milliseconds(300), "anna")])  # the consumer's
    listener = listen(
        "TOKEN",
        BEARER | {"message.timeout.ms": 2000},
        topic="rejected-too",
        oauth_token=lambda: next(answers),
        value="avro",
        framing="bare",
        schema='"string"',
        errors="skip",
        dead_letter_topic="letters-too",
    )
    producer = Producer({"bootstrap.servers": kafka.servers, "log_level": 2})
    producer.produce("rejected-too", b"hello")
    assert producer.flush(30) == 0

    with pytest.raises(pykafarr.BrokerError, match=r"dead_letter_topic letters-too: .*StopIteration"):
        listener.poll(1, 30_000)


def test_a_token_that_the_broker_refuses_is_an_error_with_the_principal(listen):
    expired_to_the_broker = token(-60)
    listener = listen("TOKEN", BEARER, oauth_token=lambda: (expired_to_the_broker, milliseconds(300), "anna"))
    with pytest.raises(pykafarr.AuthenticationError, match=r"^OAUTHBEARER as anna: ") as caught:
        listener.poll(1, 0)
    assert expired_to_the_broker not in str(caught.value)


class VaultSealedError(Exception):
    pass


def test_a_function_that_fails_is_told_by_type_and_asked_again(listen):
    answers = iter([VaultSealedError("the secret is s3cr3t"), None])

    def give():
        if failure := next(answers, None):
            raise failure
        return token(), milliseconds(300), "anna"

    listener = listen("TOKEN", BEARER, oauth_token=give)
    with pytest.raises(pykafarr.AuthenticationError, match=r"^OAUTHBEARER: no token: .*VaultSealedError") as caught:
        listener.poll(1, 0)
    assert "s3cr3t" not in str(caught.value)
    assert greets(listener)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "gave NoneType"),
        (("t",), "gave tuple"),
        ((b"t", 1), "a token of type bytes"),
        (("t", 1.5), "an expiry of type float"),
        (("t", dt.datetime(2100, 1, 1)), "an expiry of type datetime"),  # noqa: DTZ001  # that is the point
        (("", milliseconds(300)), "token must not be empty"),
        (("t\0t", milliseconds(300)), "token must not hold a NUL"),
        (("t", milliseconds(300), "anna", {1: "x"}), "extensions must have keys of type str"),
        (("t", 1), "expire"),
    ],
)
def test_what_is_no_token_is_told(listen, given, reason):
    with pytest.raises(pykafarr.AuthenticationError, match=reason):
        listen("TOKEN", BEARER, oauth_token=lambda: given).poll(1, 0)


def test_a_failure_to_renew_is_logged_while_the_token_is_good(listen, caplog):
    tokens = [(token(3), milliseconds(3), "anna")]
    listener = listen("TOKEN", BEARER, oauth_token=tokens.pop)
    assert greets(listener)
    time.sleep(4)
    with pytest.raises(pykafarr.AuthenticationError, match=r"^OAUTHBEARER as anna: .*IndexError"):
        listener.poll(1, 2000)
    assert [line for line in caplog.messages if "IndexError; the last one is good until" in line]
    tokens.append((token(), milliseconds(300), "anna"))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(pykafarr.AuthenticationError):
            listener.seek(TOPIC, 0, "earliest")
            if listener.poll(1, 500)[0] is not None:
                break
    else:
        pytest.fail("the new token did not mend it")


def test_the_thread_that_asks_ends_with_the_listener_even_when_the_function_hangs(listen):
    hangs, ends = threading.Event(), threading.Event()

    def give():
        hangs.set()
        ends.wait(30)
        return token(), milliseconds(300)

    listener = listen("TOKEN", BEARER, oauth_token=give)
    assert hangs.wait(10)
    (thread,) = [one for one in threading.enumerate() if one.name.startswith("pykafarr-oauth")]
    begun = time.monotonic()
    listener.close()
    assert time.monotonic() - begun < 10
    ends.set()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (BEARER | {"sasl.mechanism": "PLAIN"}, "must be OAUTHBEARER"),
        (BEARER | {"sasl.oauthbearer.method": "oidc"}, "tokens of their own"),
    ],
)
def test_a_function_that_would_never_be_asked_is_refused(listen, config, reason):
    with pytest.raises(pykafarr.ConfigError, match=reason):
        listen("TOKEN", config, oauth_token=lambda: None)


def test_a_mechanism_without_a_source_of_tokens_is_refused(listen):
    with pytest.raises(pykafarr.ConfigError, match="give oauth_token"):
        listen("TOKEN", BEARER)


def test_what_is_no_function_is_refused(listen):
    with pytest.raises(TypeError, match="oauth_token must be callable, not str"):
        listen("TOKEN", BEARER, oauth_token="t")


@contextlib.contextmanager
def token_endpoint():
    """Gives tokens to the client "reader" with the secret "readers only"."""
    basic = "Basic " + base64.b64encode(b"reader:readers only").decode()

    def answer(request):
        if request.headers.get("Authorization") != basic:
            return 401, {"error": "invalid_client"}
        return 200, {"access_token": token(), "token_type": "Bearer", "expires_in": 300}

    with Server(answer) as server:
        yield {
            **BEARER,
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": "reader",
            "sasl.oauthbearer.token.endpoint.url": f"{server.url}/token",
        }


def test_oidc_gets_its_tokens_by_itself(listen):
    with token_endpoint() as config:
        assert greets(listen("TOKEN", config | {"sasl.oauthbearer.client.secret": "readers only"}))


def test_a_wrong_client_secret_is_told_with_the_client_and_without_the_secret(listen):
    with token_endpoint() as config:
        listener = listen("TOKEN", config | {"sasl.oauthbearer.client.secret": "sesame opens"})
        with pytest.raises(pykafarr.AuthenticationError, match=r"^OAUTHBEARER as reader: .*invalid_client") as caught:
            listener.poll(1, 0)
    assert "sesame opens" not in str(caught.value)
