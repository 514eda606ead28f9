"""Each option is declared once, in the table: signatures, docstrings, TypedDicts, Spark, the command line, the contract
of the library and the page of options say what it says.
"""

from __future__ import annotations

import argparse
import inspect
import re
from pathlib import Path
from typing import Any, get_args

import pytest

import pykafarr
from pykafarr._cli.main import _parser
from pykafarr._engines import spark_options
from pykafarr._options import checks, sends
from pykafarr._options.scans import Options, ReadOptions, ScanOptions
from pykafarr._options.sends import WriteOptions
from pykafarr._options.table import DECODER, LISTENER, OPTIONS, PRODUCER, REQUIRED, SCAN, SEND, Option, settings
from tests.docs import options_page

HEADER = (Path(__file__).resolve().parents[2] / "cgo" / "kafarr.h").read_text()
FUNCTIONS: list[tuple[Any, dict[str, Option]]] = [
    (pykafarr.listener, LISTENER),
    (pykafarr.scan, SCAN),
    (pykafarr.Decoder, DECODER),
    (pykafarr.producer, PRODUCER),
    (pykafarr.Producer.send, SEND),
]
# What is not the table's: of a call, and not of a plan.
CALLS = {"payloads", "progress", "self", "frame"}
# What the command line has of its own.
COMMAND_ONLY = {
    *("--help", "--from-beginning", "--max-time", "--idle-timeout", "--format", "--null", "--output"),
    *("--message-type", "--progress", "--rules-secret-env"),
    *(f"--{name}-{kind}" for name in ("config", "registry-config") for kind in ("file", "env")),
}
GIVEN: dict[str, Any] = {
    "servers": "a:1",
    "group": "g",
    "topics": "t",
    "registry_url": "http://r",
    "schema": None,
    "message_type": "t",
    "topic": "t",
}


def given(options: dict[str, Option], **more: Any) -> dict[str, Any]:
    defaults = {name: option.default for name, option in options.items() if option.default is not REQUIRED}
    return {**defaults, **{name: value for name, value in GIVEN.items() if name in options}, **more}


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    return {name: one for name, one in inspect.signature(function).parameters.items() if name not in CALLS}


@pytest.mark.parametrize(("function", "options"), FUNCTIONS)
def test_a_signature_has_the_options_of_the_table_in_their_order(function: Any, options: dict[str, Option]) -> None:
    found = parameters(function)
    assert list(found) == sorted(options, key=list(found).index)
    positional = {name for name, one in found.items() if one.kind is one.POSITIONAL_OR_KEYWORD}
    assert [name for name in found if name not in positional] == [name for name in options if name not in positional]
    for name, option in options.items():
        default = found[name].default
        assert (REQUIRED if default is inspect.Parameter.empty else default) == option.default, name


def test_decoding_at_once_takes_what_the_decoder_takes() -> None:
    assert {name: str(one) for name, one in parameters(pykafarr.decode).items()} == {
        name: str(one) for name, one in parameters(pykafarr.Decoder).items()
    }


@pytest.mark.parametrize(("function", "options"), FUNCTIONS)
def test_a_docstring_explains_each_option(function: Any, options: dict[str, Option]) -> None:
    text = inspect.getdoc(function) or ""
    explained = re.findall(r"^    (\w+): ", text[text.index("Args:") : text.index("Raises:")], re.MULTILINE)
    assert [name for name in explained if name not in CALLS] == list(parameters(function))
    assert set(explained) - CALLS == set(options)


@pytest.mark.parametrize(("function", "options"), FUNCTIONS)
def test_the_words_of_an_option_are_those_of_its_annotation(function: Any, options: dict[str, Option]) -> None:
    for name, option in options.items():
        if option.words:
            named = parameters(function)[name].annotation.removesuffix(" | None")
            alias = getattr(checks, named, None) or getattr(sends, named)
            literal = next((part for part in get_args(alias) if get_args(part)), alias)
            assert {word for word in get_args(literal) if isinstance(word, str)} == set(option.words), name


def test_the_types_of_a_scans_options_are_those_of_its_signature() -> None:
    keyword_only = {name: one for name, one in parameters(pykafarr.scan).items() if one.kind is one.KEYWORD_ONLY}
    assert {name: found.__forward_arg__ for name, found in ScanOptions.__annotations__.items()} == {
        name: one.annotation for name, one in keyword_only.items()
    }
    elsewhere = {"start", "end", "config", "registry_config", "oauth_token"}
    assert set(ReadOptions.__annotations__) == set(keyword_only) - elsewhere
    assert set(inspect.signature(pykafarr.read).parameters) - CALLS == set(parameters(pykafarr.scan)) - set(
        keyword_only
    ) | {"options"}


def test_the_types_of_the_options_of_a_write_are_those_of_the_signatures() -> None:
    signatures = {**parameters(pykafarr.producer), **parameters(pykafarr.Producer.send)}
    own = {"servers", "registry_url", "topic", "wait"}
    assert {name: found.__forward_arg__ for name, found in WriteOptions.__annotations__.items()} == {
        name: one.annotation for name, one in signatures.items() if name not in own
    }
    assert set(inspect.signature(pykafarr.write).parameters) == {"frame", "servers", "topic", "registry_url", "options"}


@pytest.mark.parametrize(
    "options",
    [LISTENER, SCAN, DECODER, PRODUCER, SEND],
    ids=["listener", "scan", "decoder", "producer", "send"],
)
def test_every_default_passes_its_own_check(options: dict[str, Option]) -> None:
    more = {"schema": '"long"'} if options is DECODER else {}
    found = settings(options.values(), given(options, **more))
    assert set(found) <= {key for option in options.values() for key in option.keys}


@pytest.mark.parametrize(
    ("function", "options", "besides"),
    [
        ("listener_new", LISTENER, {"environment"}),
        ("scan_new", SCAN, {"environment", "partitions", "latest_schemas", "topic_ids", "log_ends"}),
        ("decoder_new", DECODER, set()),
        ("producer_new", PRODUCER, {"environment"}),
        ("producer_send_start", SEND, {"first_row", "transaction", "check_only"}),
    ],
)
def test_the_contract_of_the_library_has_the_keys_of_the_table(
    function: str, options: dict[str, Option], besides: set[str]
) -> None:
    keys = {key for option in options.values() for key in option.keys} | besides
    assert keys == contract(function)


def contract(function: str) -> set[str]:
    """The keys of the JSON object that a function takes, as the comment before it has them."""
    comment = HEADER[: HEADER.index(f"int32_t {function}(")].rpartition("JSON object")[2]
    found, depth = set(), 0
    for match in re.finditer(r'[{\[(]|[}\])]|"(\w+)":', comment):
        depth += {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}.get(match[0], 0)
        if match[1] and not depth:
            found.add(match[1])
    if function == "scan_new":
        without = re.findall(r'"(\w+)"', comment[: comment.index("and\n")])
        found |= contract("listener_new") - set(without)
    if shared := re.search(r'and ("columns".*) as in decoder_new', comment):
        found |= set(re.findall(r'"(\w+)"', shared[1]))
    return found


def test_spark_takes_the_options_of_scans_that_can_be_texts() -> None:
    tasks = {"max_rows_per_task", "max_bytes_per_task"}
    assert set(spark_options._OPTIONS) == {name for name, option in SCAN.items() if option.text} | tasks
    # Nothing of the caller's passes as text; each row of Spark's frames has one type; Spark has types of its own.
    assert {name for name, option in SCAN.items() if not option.text} == {"oauth_token", "mixed", "dtype_backend"}


def test_the_command_line_says_what_the_table_says() -> None:
    subparsers = next(one for one in _parser()._actions if isinstance(one, argparse._SubParsersAction))
    actions = {one.option_strings[-1]: one for one in subparsers.choices["read"]._actions}
    by_flag: dict[str, list[Option]] = {}
    for option in OPTIONS:
        if option.flag:
            by_flag.setdefault(option.flag, []).append(option)
    assert set(actions) == set(by_flag) | COMMAND_ONLY
    for flag, options in by_flag.items():
        action, option = actions[flag], options[0]
        if flag == "--num-messages":
            continue  # of a listener it is an argument of each poll
        assert option.help in str(action.help), flag
        assert set(action.choices or ()) <= set(option.words), flag
        if flag == "--metadata":
            assert tuple(action.default) == option.default
        elif action.default not in (None, [], False):
            assert action.default == option.default, flag


def test_the_page_of_options_says_what_the_table_says() -> None:
    text = options_page.page()
    assert options_page.PAGE.read_text(encoding="utf-8") == text, f"`{options_page.REWRITE}` writes what is true"


def test_what_a_scan_is_given_once_it_may_go_through_again() -> None:
    """Iterators are listed, whatever option takes them: a plan is changed and unpickled."""
    names = {name for name, option in SCAN.items() if "Iterable" in parameters(pykafarr.scan)[name].annotation}
    more = {name: iter(["t"]) for name in names - {"metadata", "servers"}}
    options = Options(given(SCAN, **more, metadata=iter(["offset"]), servers=iter(["a:1"])))
    assert all(isinstance(options.arguments[name], list) for name in names)
    assert options.changed({}).settings() == options.settings()
