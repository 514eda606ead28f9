"""What to say of a name that is not known: which are, and the one that was probably meant."""

from __future__ import annotations

import difflib
import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from . import _secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FunctionType

_P = ParamSpec("_P")
_T = TypeVar("_T")

# So many names are listed, of columns or message types, say.
_MOST = 20


def known(name: str, names: Iterable[str]) -> str:
    """The end of an error: "a, b. Did you mean b?", or "none"."""
    found = list(names)
    if not found:
        return "none"
    listed = ", ".join(found[:_MOST]) + (", …" if len(found) > _MOST else "")
    likely = _nearest(name, found)
    return listed if likely is None else f"{listed}. Did you mean {likely}?"


def keywords(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Has a function name the argument that was probably meant, where a caller's keyword is none of its arguments.

    Python does so from 3.13 on, but does not tell where a property of the client goes.
    """
    code = cast("FunctionType", function).__code__
    names = [name for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if name != "self"]
    shown = function.__qualname__.removesuffix(".__init__")

    @functools.wraps(function)
    def call(*positional: _P.args, **named: _P.kwargs) -> _T:
        if unknown := next((name for name in named if name not in names), None):
            hint = ""
            if likely := _nearest(unknown, names):
                hint = f". Did you mean {likely}?"
            elif "config" in names and "_" in unknown:
                hint = f'. A property of the client goes into config={{"{unknown.replace("_", ".")}": …}}'
            del positional, named  # as below
            raise TypeError(f"{shown}() has no argument {unknown!r}{hint}")
        held = [_secrets.bound(function, positional, named)]
        del positional, named  # this frame keeps no passwords
        return held.pop()()

    return call


def _nearest(name: str, names: list[str]) -> str | None:
    """The name that is most alike, whatever its case: as a whole, or but for what is before the last dot."""
    meant = name.casefold()
    by_form: dict[str, str] = {}
    for one in names:
        form = one.casefold()
        by_form.setdefault(form, one)
        by_form.setdefault(form.rpartition(".")[2], one)
    for form in (meant, meant.rpartition(".")[2]):
        if likely := difflib.get_close_matches(form, by_form, n=1):
            return by_form[likely[0]]
    return None
