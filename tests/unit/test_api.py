"""An option that is given to the wrong function is named with the functions that take it."""

from __future__ import annotations

from typing import Any

import pytest

import pykafarr

ADDRESS = ("localhost:9", "T", None)


@pytest.mark.parametrize(
    ("call", "option", "of"),
    [
        (lambda given: pykafarr.scan(*ADDRESS, **given), "acknowledge", r"listener\(\)"),
        (lambda given: pykafarr.scan(*ADDRESS, **given), "dead_letter_topic", r"listener\(\)"),
        (lambda given: pykafarr.listener("localhost:9", "g", "T", None, **given), "end", r"scan\(\)"),
        (lambda given: pykafarr.producer(*ADDRESS[::2], **given), "partitioner", r"Producer\.send\(\)"),
        (lambda given: pykafarr.producer(*ADDRESS[::2], **given), "errors", r"listener\(\) and scan\(\)"),
        (lambda given: pykafarr.Decoder('"int"', **given), "transactional_id", r"producer\(\)"),
        (
            lambda given: pykafarr.write(None, "localhost:9", "T", None, **given),
            "tombstones",
            r"listener\(\) and scan\(\)",
        ),
        (lambda given: pykafarr.producer(*ADDRESS[::2], **given), "no_such", None),
    ],
)
def test_an_option_of_another_function_is_named_as_such(call: Any, option: str, of: str | None) -> None:
    end = "" if of is None else rf"\. It is an option of {of}"
    with pytest.raises(TypeError, match=rf"has no argument '{option}'{end}"):
        call({option: "x"})


def test_a_name_that_no_function_has_is_still_guessed() -> None:
    with pytest.raises(TypeError, match="Did you mean columns"):
        pykafarr.scan(*ADDRESS, colums=["a"])  # type: ignore[call-arg]
