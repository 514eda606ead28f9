"""Public classes are named as users name them: `pykafarr.Plan`, whichever file that is in."""

from __future__ import annotations

import inspect
import pickle
import pydoc
import traceback
import typing
from pathlib import Path
from typing import Any

import pytest

import pykafarr
from pykafarr.testing import MockKafka

CLASSES = [getattr(pykafarr, name) for name in pykafarr.__all__ if isinstance(getattr(pykafarr, name), type)]
PRICE = {"type": "record", "name": "Price", "fields": [{"name": "bid", "type": "double"}]}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_public_class_is_of_the_public_module(kind: type) -> None:
    assert (kind.__module__, kind.__qualname__) == ("pykafarr", kind.__name__)


@pytest.mark.parametrize("kind", [*CLASSES, MockKafka], ids=lambda kind: kind.__name__)
def test_the_source_of_a_public_class_is_found_where_it_is(kind: type) -> None:
    lines, first = inspect.getsourcelines(kind)
    header = next(line for line in lines if not line.startswith("@"))
    assert header.startswith((f"class {kind.__name__}(", f"class {kind.__name__}:"))
    (path,) = [
        path for path in Path(pykafarr.__file__).parent.rglob("*.py") if f"\n{header}" in path.read_text("utf-8")
    ]
    assert path.read_text("utf-8").splitlines(keepends=True)[first - 1 : first - 1 + len(lines)] == lines


def test_a_class_that_is_derived_from_a_public_one_has_its_own_source() -> None:
    class Mine(pykafarr.KafarrError):
        mine = "this line"

    assert 'mine = "this line"' in inspect.getsource(Mine)
    assert not hasattr(Mine, "__wrapped__")
    assert not hasattr(pykafarr.KafarrError("text"), "__wrapped__")


def test_help_names_a_public_class_as_programs_do_and_shows_its_parameters() -> None:
    text = pydoc.plain(pydoc.render_doc(pykafarr.Plan))
    assert "class Plan in module pykafarr\n" in text
    private = [line for line in text.splitlines() if "pykafarr._" in line]
    assert private == [" |  __wrapped__ = <class 'pykafarr._scans.plan.Plan'>"]  # which leads to the source
    assert next(iter(inspect.signature(pykafarr.Decoder).parameters)) == "schema"
    assert list(inspect.signature(MockKafka).parameters) == list(inspect.signature(MockKafka.__init__).parameters)[1:]


def test_the_embedded_broker_is_of_its_public_module() -> None:
    assert f"{MockKafka.__module__}.{MockKafka.__qualname__}" == "pykafarr.testing.MockKafka"


def test_a_traceback_names_an_error_as_users_catch_it() -> None:
    with pytest.raises(pykafarr.ConfigError) as raised:
        pykafarr.listener("", "g", "t", None)
    assert traceback.format_exception_only(raised.value)[0].startswith("pykafarr.ConfigError: ")


def test_what_is_pickled_names_no_private_module() -> None:
    with MockKafka(topics=["t"]) as kafka:
        kafka.produce("t", PRICE, [{"bid": 1.5}])
        config = {"client.id": "given-as-text", "sasl.password": pykafarr.from_env("NO_SUCH_VARIABLE")}
        plan = pykafarr.scan(kafka.servers, "t", kafka.registry_url, config={"client.id": "given-as-text"})
        (task,) = plan.tasks()
        decoder = pykafarr.Decoder(PRICE)
        with pytest.raises(pykafarr.ConfigError) as raised:
            pykafarr.scan(kafka.servers, "t", kafka.registry_url, config=config)
        things: list[Any] = [plan, task, decoder, raised.value, config["sasl.password"], pykafarr.Milliseconds(5)]
        for thing in things:
            text = pickle.dumps(thing)
            assert b"pykafarr" in text
            assert b"pykafarr._" not in text
            assert type(pickle.loads(text)) is type(thing)
        for again in pickle.loads(pickle.dumps([plan, task])):
            assert again.read().to_arrow("Price")["bid"].to_pylist() == [1.5]
            assert "given-as-text" not in repr(again._options.arguments)


def test_the_types_of_the_fields_of_tuples_can_be_looked_up() -> None:
    for kind in CLASSES:
        if issubclass(kind, tuple):
            assert set(typing.get_type_hints(kind)) == set(kind._fields)
