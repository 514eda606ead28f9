"""What tools show that print the variables of a traceback's frames: no password that was given as text."""

from __future__ import annotations

import functools
import json
import traceback
from pathlib import Path
from typing import Any

import pytest

import pykafarr
from pykafarr._cli.main import _parser, main
from pykafarr._engines import common
from pykafarr._engines.spark_options import parsed
from pykafarr._options import tokens
from pykafarr._options.secrets import hidden
from pykafarr.polars import scan_kafka
from pykafarr.testing import MockKafka

SECRET = "hunter2-secret"
CONFIG = {
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanism": "PLAIN",
    "sasl.username": "u",
    "sasl.password": SECRET,
}
REGISTRY_CONFIG = {"basic.auth.user.info": f"u:{SECRET}"}
REGISTRY_URL = f"http://u:{SECRET}@127.0.0.1:1"


SERVERS = "127.0.0.1:1"


class Shown:
    """Something of the caller's whose representation has the password, as that of many classes of settings has."""

    def __repr__(self) -> str:
        return f"Settings(password={SECRET!r})"


def listener(servers: Any = SERVERS, topics: Any = "T", registry_url: Any = REGISTRY_URL, **options: Any) -> Any:
    return pykafarr.listener(servers, "g", topics, registry_url, **options)


def named_listener(servers: Any = SERVERS, topics: Any = "T", registry_url: Any = REGISTRY_URL, **options: Any) -> Any:
    return pykafarr.listener(servers=servers, group="g", topics=topics, registry_url=registry_url, **options)


def polled(**options: Any) -> Any:
    with listener(**options) as p:
        return p.poll(1, 1000)


def scan(servers: Any = SERVERS, topics: Any = "T", registry_url: Any = REGISTRY_URL, **options: Any) -> Any:
    return pykafarr.scan(servers, topics, registry_url, timeout=100, **options)


def read(servers: Any = SERVERS, topics: Any = "T", registry_url: Any = REGISTRY_URL, **options: Any) -> Any:
    return pykafarr.read(servers, topics, registry_url, timeout=100, **options)


def polars(servers: Any = SERVERS, topics: Any = "T", registry_url: Any = REGISTRY_URL, **options: Any) -> Any:
    return scan_kafka(servers, topics, registry_url, timeout=100, **options).collect()


def spark(*, config: Any, registry_config: Any, **options: Any) -> Any:
    """What Spark's source does with its options, which needs no Spark."""
    texts = {"registry_config": json.dumps(registry_config), "registry_url": REGISTRY_URL}
    if isinstance(config, str):
        texts["config"] = config
    found, _ = parsed({"servers": SERVERS, "topics": "T", **texts, **options})
    return common.scan(**found)


FAILURES: list[tuple[Any, dict[str, Any]]] = [
    *((entry, {}) for entry in (scan, read, polars)),
    (polled, {"ready_timeout": 100}),
    *(
        (entry, wrong)
        for entry in (listener, scan, read, polars)
        for wrong in (
            {"confg": CONFIG},
            {"sasl_password": SECRET},
            {"properties": [CONFIG, (SECRET,)]},
            {"config": [CONFIG]},
        )
    ),
    *((spark, {name: json.dumps(CONFIG)}) for name in ("confg", "Config", "config")),
    *((spark, {name: f'{{"sasl.password": "{SECRET}"'}) for name in ("config", "registry_config")),
    (spark, {"config": json.dumps([CONFIG])}),
    (spark, {"config": json.dumps(CONFIG), "timeout": "soon"}),
    (spark, {"config": json.dumps({"sasl.password": {"from": SECRET}})}),
    (spark, {"config": json.dumps({**CONFIG, "no.such.property": "1"}), "timeout": "100"}),
    *(
        (entry, wrong)
        for entry in (listener, named_listener, scan, read, polars)
        for wrong in (
            {"errors": "nope"},
            {"config": {**CONFIG, "no.such.property": "1"}},
            {"config": {**CONFIG, "socket.timeout.ms": "x"}},
            {"registry_config": {**REGISTRY_CONFIG, "no.such": "1"}},
        )
    ),
]


ADDRESS = f"u:{SECRET}@{SERVERS}"
OTHER_TYPES = [SECRET.encode(), bytearray(SECRET.encode()), Shown(), [SECRET], {"password": SECRET}, {SECRET}]
UNWRITABLE = [f"{SECRET}\0", f"{SECRET}\ud800"]
# Secrets that are given as something else than texts, or where they do not belong.
MISPLACED: list[dict[str, Any]] = [
    *({"config": {**CONFIG, "sasl.password": wrong}} for wrong in (*OTHER_TYPES, *UNWRITABLE)),
    *({"registry_config": {**REGISTRY_CONFIG, "basic.auth.user.info": wrong}} for wrong in (*OTHER_TYPES, *UNWRITABLE)),
    *({"config": {key: "x"}} for key in (SECRET.encode(), ("sasl.password", SECRET))),
    *({"config": wrong} for wrong in (SECRET, *OTHER_TYPES[:4], {("sasl.password", SECRET)})),
    *({"registry_url": wrong} for wrong in (*OTHER_TYPES, *UNWRITABLE, REGISTRY_URL.encode())),
    *({"rules": wrong} for wrong in (SECRET, *OTHER_TYPES)),
    *({"rules": {"encrypt": wrong}} for wrong in (SECRET, *OTHER_TYPES)),
    *({"rules": {"encrypt": {"secret": wrong}}} for wrong in (*OTHER_TYPES, *UNWRITABLE)),
    *({"oauth_token": wrong} for wrong in (SECRET, *OTHER_TYPES)),
    *({"servers": wrong} for wrong in (f"{ADDRESS}\0", ADDRESS.encode(), [ADDRESS, 5], *OTHER_TYPES[:3])),
    # What is right, beside something that is wrong.
    *(
        {"errors": "nope", **given}
        for given in (
            {"servers": ADDRESS},
            {"servers": [ADDRESS]},
            {"topics": REGISTRY_URL},
            {"oauth_token": functools.partial(str, SECRET)},
            {"rules": {"encrypt": {"secret": SECRET}}},
            {"config": {**CONFIG, "sasl.password": 31337_31337}},
        )
    ),
]


def circle() -> dict[str, Any]:
    config: dict[str, Any] = {**CONFIG}
    config["more"] = config
    return {"config": config}


def command(*arguments: str) -> Any:
    """What the command `read` does, before it prints what went wrong."""
    words = ["read", "--servers", SERVERS, "--topics", "T", "--ready-timeout", "100", *arguments]
    options = _parser().parse_args([*words, "--registry", REGISTRY_URL, "--config", f"sasl.password={SECRET}"])
    return options.command(options)(options)


def shown(error: BaseException) -> list[str]:
    """The variables that hold the secret, of all frames that are pykafarr's."""
    found: list[str] = []
    left: traceback.TracebackException | None = traceback.TracebackException.from_exception(error, capture_locals=True)
    while left:
        for frame in left.stack:
            if Path(pykafarr.__file__).parent in Path(frame.filename).parents:
                names = [name for name, text in (frame.locals or {}).items() if SECRET in text or "3133731337" in text]
                found += [f"{Path(frame.filename).name}: {frame.name}: {name}" for name in names]
        left = left.__cause__ or left.__context__
    return found


@pytest.mark.parametrize("entry", [listener, named_listener, scan, read, polars])
@pytest.mark.parametrize("wrong", [*MISPLACED, circle()])
def test_no_frame_shows_a_password_of_another_type_or_in_another_place(entry: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises((pykafarr.KafarrError, TypeError)) as raised:
        entry(**{"config": CONFIG, "registry_config": REGISTRY_CONFIG, **wrong})
    assert shown(raised.value) == []
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("entry", [listener, scan, read, polars])
def test_no_error_shows_the_password_in_an_address_of_servers(entry: Any) -> None:
    with pytest.raises(pykafarr.KafarrError) as raised:
        entry(servers=ADDRESS)
    assert shown(raised.value) == []
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("wrong", [{"rules": SECRET}, {"rules": json.dumps({"encrypt": SECRET})}, {"servers": ADDRESS}])
def test_spark_shows_none_that_is_in_another_place(wrong: dict[str, Any]) -> None:
    with pytest.raises((pykafarr.KafarrError, TypeError)) as raised:
        spark(**{"config": json.dumps(CONFIG), "registry_config": REGISTRY_CONFIG, "timeout": "soon", **wrong})
    assert shown(raised.value) == []
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("make", [functools.partial(pykafarr.Decoder, '"long"'), MockKafka])
@pytest.mark.parametrize("wrong", [{"config": CONFIG}, *({"password": wrong} for wrong in (SECRET, *OTHER_TYPES))])
def test_a_decoder_and_an_embedded_broker_show_none_that_they_have_no_use_for(make: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError) as raised:
        make(**wrong)
    assert shown(raised.value) == []
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("where", [(), ("--start", "earliest")])
@pytest.mark.parametrize("wrong", ["no.such.property=1", f"sasl.password={SECRET}\0"])
def test_the_command_line_shows_no_password(where: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(pykafarr.KafarrError) as raised:
        command(*where, "--config", wrong)
    assert shown(raised.value) == []
    assert SECRET not in str(raised.value)


def test_the_command_line_does_not_repeat_a_property_that_it_cannot_read(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["read", "--servers", SERVERS, "--topics", "T", "--registry", "x", "--config", f"sasl.password:{SECRET}"])
    assert shown(raised.value) == []
    assert SECRET not in capsys.readouterr().err


@pytest.mark.parametrize(
    "given", [SECRET, (SECRET,), (SECRET.encode(), 1), (SECRET, Shown()), (SECRET, 1, "u", {"x": SECRET.encode()})]
)
def test_no_frame_shows_a_token_that_is_none(given: Any) -> None:
    with pytest.raises(TypeError) as raised:
        tokens.answer(given)
    assert shown(raised.value) == []
    assert SECRET not in str(raised.value)


def test_the_beginning_of_a_hidden_text_is_hidden() -> None:
    """Tools that shorten texts (rich does) cut first, and then take the representation."""
    assert SECRET[:5] not in repr(hidden(SECRET * 10)[:80])


@pytest.mark.parametrize(("entry", "wrong"), FAILURES)
def test_no_frame_of_a_traceback_shows_a_password(entry: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises((pykafarr.KafarrError, TypeError)) as raised:
        entry(**{"config": CONFIG, "registry_config": REGISTRY_CONFIG, **wrong})
    assert shown(raised.value) == []
    assert SECRET not in str(raised.value)
