"""What tools show that print the variables of a traceback's frames: no password that was given as text."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest

import pykafarr
from pykafarr._engines import common
from pykafarr._engines.spark_options import parsed
from pykafarr.polars import scan_kafka

SECRET = "hunter2-secret"
CONFIG = {
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanism": "PLAIN",
    "sasl.username": "u",
    "sasl.password": SECRET,
}
REGISTRY_CONFIG = {"basic.auth.user.info": f"u:{SECRET}"}
REGISTRY_URL = f"http://u:{SECRET}@127.0.0.1:1"


def listener(**options: Any) -> Any:
    return pykafarr.listener("127.0.0.1:1", "g", "T", REGISTRY_URL, **options)


def named_listener(**options: Any) -> Any:
    return pykafarr.listener(servers="127.0.0.1:1", group="g", topics="T", registry_url=REGISTRY_URL, **options)


def polled(**options: Any) -> Any:
    with listener(**options) as p:
        return p.poll(1, 1000)


def scan(**options: Any) -> Any:
    return pykafarr.scan("127.0.0.1:1", "T", REGISTRY_URL, timeout=100, **options)


def read(**options: Any) -> Any:
    return pykafarr.read("127.0.0.1:1", "T", REGISTRY_URL, timeout=100, **options)


def polars(**options: Any) -> Any:
    return scan_kafka("127.0.0.1:1", "T", REGISTRY_URL, timeout=100, **options).collect()


def spark(*, config: Any, registry_config: Any, **options: Any) -> Any:
    """What Spark's source does with its options, which needs no Spark."""
    texts = {"registry_config": json.dumps(registry_config), "registry_url": REGISTRY_URL}
    if isinstance(config, str):
        texts["config"] = config
    found, _ = parsed({"servers": "127.0.0.1:1", "topics": "T", **texts, **options})
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


def shown(error: BaseException) -> list[str]:
    """The variables that hold the secret, of all frames that are pykafarr's."""
    found: list[str] = []
    left: traceback.TracebackException | None = traceback.TracebackException.from_exception(error, capture_locals=True)
    while left:
        for frame in left.stack:
            if Path(pykafarr.__file__).parent in Path(frame.filename).parents:
                names = [name for name, text in (frame.locals or {}).items() if SECRET in text]
                found += [f"{Path(frame.filename).name}: {frame.name}: {name}" for name in names]
        left = left.__cause__ or left.__context__
    return found


@pytest.mark.parametrize(("entry", "wrong"), FAILURES)
def test_no_frame_of_a_traceback_shows_a_password(entry: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises((pykafarr.KafarrError, TypeError)) as raised:
        entry(**{"config": CONFIG, "registry_config": REGISTRY_CONFIG, **wrong})
    assert shown(raised.value) == []
    assert SECRET not in str(raised.value)
