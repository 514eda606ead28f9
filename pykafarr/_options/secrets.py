"""Secrets by reference: where a password lies, instead of the password."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._errors import ConfigError


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

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)  # what is unpickled is hidden where it is used


# The arguments that may hold passwords. One whose name is mistyped may be one of them.
HOLDERS = {"config", "registry_config", "registry_url", "rules"}


def hidden_argument(name: str, value: Any) -> Any:
    """An argument, whose texts are hidden where they may be passwords."""
    word = name == "rules" and isinstance(value, str)
    return hidden(value) if name in HOLDERS and not word else value


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
