"""Secrets by reference: where a password lies, instead of the password."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from ._errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Secret:
    """A value that lies in a file or an environment variable. It is read when a listener opens, by each anew.

    Made by `from_file()` and `from_env()`; `config=`, `registry_config=` and `registry_url` take it instead of a str.
    """

    __slots__ = ("_kind", "_name")

    def __init__(self, kind: str, name: str) -> None:
        self._kind = kind
        self._name = name

    def read(self, place: str) -> str:
        """The value. place: what it is for, as an error message names it."""
        if self._kind == "file":
            try:
                text = Path(self._name).read_bytes().decode()
            except OSError as error:
                raise ConfigError(f"{place}: file {self._name!r} cannot be read: {error.strerror}") from None
            except UnicodeDecodeError:
                raise ConfigError(f"{place}: file {self._name!r} is not UTF-8") from None  # the cause would quote it
            # Editors and `echo` end a file with a line break, which is part of no password.
            return Hidden(text.removesuffix("\n").removesuffix("\r"))
        value = os.environ.get(self._name)
        if value is None:
            raise ConfigError(f"{place}: there is no environment variable {self._name!r}")
        return Hidden(value)

    def __repr__(self) -> str:
        return f"pykafarr.from_{self._kind}({self._name!r})"


class Hidden(str):
    """A text that tools which print local variables, as some handlers of exceptions do, do not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def hiding(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Has a function, and those that it calls, get passwords in texts that are not shown.

    Tools that print the variables of a traceback's frames would show them.
    """

    @functools.wraps(function)
    def call(*positional: _P.args, **named: _P.kwargs) -> _T:
        held = [bound(function, positional, named)]
        del positional, named  # this frame keeps no passwords
        return held.pop()()

    return call


def bound(function: Callable[..., _T], positional: tuple[Any, ...], named: Mapping[str, Any]) -> Callable[[], _T]:
    """The function with its arguments, of which those that may hold passwords are hidden."""
    from ._scan_options import ScanOptions  # noqa: PLC0415  # at run time, for its names

    code = cast("FunctionType", function).__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given = [_hidden(name, value) for name, value in zip(own, positional, strict=False)]
    known = {*own, *ScanOptions.__annotations__}
    found = {name: _hidden(name, value) if name in known else hidden(value) for name, value in named.items()}
    return functools.partial(function, *given, **found)


def _hidden(name: str, value: Any) -> Any:
    word = name == "rules" and isinstance(value, str)
    return hidden(value) if name in HOLDERS and not word else value


# The arguments that may hold passwords. One whose name is mistyped may be one of them.
HOLDERS = {"config", "registry_config", "registry_url", "rules"}


def hidden(value: Any) -> Any:
    """The texts in an argument, hidden."""
    if isinstance(value, str):
        return Hidden(value)
    if isinstance(value, Mapping):
        return {key: hidden(one) for key, one in value.items()}
    if isinstance(value, list):
        return [hidden(one) for one in value]
    if isinstance(value, tuple):
        return tuple(hidden(one) for one in value)
    return value


def plain(value: Any) -> Any:
    """A hidden text as it was."""
    return str(value) if isinstance(value, Hidden) else value


def from_file(path: str | os.PathLike[str]) -> Secret:
    """The text of a file, without a last line break, as a value: {"sasl.password": from_file("/run/secrets/x")}."""
    return Secret("file", os.fspath(path))


def from_env(name: str) -> Secret:
    """The value of an environment variable: {"sasl.password": from_env("KAFKA_PASSWORD")}."""
    if not isinstance(name, str):
        raise TypeError(f"the name of an environment variable must be a str, not {type(name).__name__}")
    return Secret("env", name)
