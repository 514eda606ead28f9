"""Decorators of functions that take options by keyword: passwords are hidden, mistyped names found."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from .nearest import nearest
from .scans import ScanOptions
from .secrets import hidden, hidden_argument
from .sends import WriteOptions
from .table import OPTIONS, REQUIRED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import FunctionType

    from .table import Option

_P = ParamSpec("_P")
_T = TypeVar("_T")

# The functions of the table of options, as callers name them.
_SHOWN = {
    "listener": "listener()",
    "scan": "scan()",
    "decoder": "Decoder()",
    "producer": "producer()",
    "send": "Producer.send()",
}


def check_keywords(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Makes a function name the argument that was probably meant, where a keyword is none of its arguments.

    Python does so from 3.13 on, but does not say that properties of the client go into config=.
    """
    code = cast("FunctionType", function).__code__
    names = [name for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if name != "self"]
    shown = function.__qualname__.removesuffix(".__init__")

    @functools.wraps(function)
    def call(*positional: _P.args, **named: _P.kwargs) -> _T:
        if unknown := next((name for name in named if name not in names), None):
            del positional, named  # as below
            raise TypeError(no_argument(shown, unknown, names))
        held = [_bound(function, positional, named)]
        del positional, named  # this frame keeps no passwords
        return held.pop()()

    return call


def no_argument(function: str, unknown: str, names: Iterable[str]) -> str:
    """What to say of a keyword that is none of a function's arguments."""
    hint = ""
    known = list(names)
    others = [_SHOWN[one] for option in OPTIONS if _is_meant(option, unknown) for one in option.of]
    if others:
        hint = f". It is an option of {' and '.join(dict.fromkeys(others))}"
    elif likely := nearest(unknown, known):
        hint = f". Did you mean {likely}?"
    elif "config" in known and "_" in unknown:
        hint = f'. A property of the client goes into config={{"{unknown.replace("_", ".")}": …}}'
    return f"{function}() has no argument {unknown!r}{hint}"


def _is_meant(option: Option, name: str) -> bool:
    """Whether a name is that of an option; one that each call has, such as `topic`, is a slip for `topics`."""
    return option.name == name and option.default != REQUIRED


def hide_secrets(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Hides the passwords among the arguments of a function, from tools that print the variables of frames.

    The function, and those that it calls, get them as texts that have no representation.
    """

    @functools.wraps(function)
    def call(*positional: _P.args, **named: _P.kwargs) -> _T:
        held = [_bound(function, positional, named)]
        del positional, named  # this frame keeps no passwords
        return held.pop()()

    return call


def _bound(function: Callable[..., _T], positional: tuple[Any, ...], named: Mapping[str, Any]) -> Callable[[], _T]:
    """The function with its arguments, of which those that may hold passwords are hidden."""
    code = cast("FunctionType", function).__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given = [hidden_argument(name, value) for name, value in zip(own, positional, strict=False)]
    known = {*own, *ScanOptions.__annotations__, *WriteOptions.__annotations__}
    found = {name: hidden_argument(name, value) if name in known else hidden(value) for name, value in named.items()}
    return functools.partial(function, *given, **found)
