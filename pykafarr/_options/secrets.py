"""Secrets by reference: where a password is to be found, instead of the password."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from .._errors import ConfigError


class Secret:
    """A value that is in a file or an environment variable. Each listener reads it when it opens.

    Made by `from_file()` and `from_env()`; `config=`, `registry_config=` and `registry_url` take it instead of a str.
    """

    __slots__ = ("_kind", "_name")

    def __init__(self, kind: str, name: str) -> None:
        self._kind = kind
        self._name = name

    def read(self, place: str) -> str:
        """The value. place: what it is for, as an error message names it."""
        if self._kind == "file":
            text = self._read(place)
            if text is None:  # raised here, where no exception that quotes the file is its context
                raise ConfigError(f"{place}: file {self._name!r} is not UTF-8")
            return text
        value = os.environ.get(self._name)
        if value is None:
            raise ConfigError(f"{place}: there is no environment variable {self._name!r}")
        return Hidden(value)

    def _read(self, place: str) -> str | None:
        """The text of the file; None: it is not UTF-8."""
        from pathlib import Path  # noqa: PLC0415  # which importing pykafarr does not load

        try:
            # Editors and `echo` end a file with a line break, which is part of no password.
            return Hidden(Path(self._name).read_bytes().decode().removesuffix("\n").removesuffix("\r"))
        except OSError as error:
            raise ConfigError(f"{place}: file {self._name!r} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            return None

    def __repr__(self) -> str:
        return f"pykafarr.from_{self._kind}({self._name!r})"


class Hidden(str):
    """A text that tools which print local variables, as some handlers of exceptions do, do not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __getitem__(self, key: Any) -> str:
        return Hidden(super().__getitem__(key))  # such tools show the beginning of a long text

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)  # what is unpickled is hidden where it is used


class HiddenObject:
    """Likewise something that is no text: a number, a function, or what was given in the place of a text."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "***"


# The arguments that may hold passwords, and those where an address with a password in it may have been put.
_HOLDERS = {"servers", "registry_url", "config", "registry_config", "oauth_token", "rules"}
_NAMES = {"group", "topics", "topic", "dead_letter_topic"}
# Those that take descriptors of Protobuf as bytes, which hold no passwords.
_SCHEMAS = {"schema", "reader_schema", "key_schema", "key_reader_schema"}
# What hides nothing: a property may be one of these.
_SHOWN = (bool, type(None))
_RULES = ("raise", "ignore")
# Deeper than any argument is. A dict that is in itself has no end.
_DEPTH = 8


def hidden_argument(name: str, value: Any) -> Any:
    """An argument, of which nothing is shown where it may hold a password."""
    if name == "rules" and isinstance(value, str) and value in _RULES:
        return value
    if name == "servers" and not isinstance(value, (str, bytes, bytearray, Mapping)) and isinstance(value, Iterable):
        value = list(value)
    if name in _HOLDERS:
        return hidden(value)
    if isinstance(value, (bytes, bytearray)) and name not in _SCHEMAS:  # no other option takes them
        return HiddenObject(value)
    return _without_addresses(value) if name in _NAMES else value


def _without_addresses(value: Any) -> Any:
    """Names, of which those are hidden that are addresses with a password, as in http://user:password@host."""
    if isinstance(value, str):
        return Hidden(value) if ":" in value.rpartition("@")[0] else value
    if isinstance(value, (list, tuple)):
        return [_without_addresses(one) for one in value]
    return value


def hidden(value: Any, depth: int = _DEPTH) -> Any:
    """A value of which nothing is shown but the names of properties."""
    if isinstance(value, (Hidden, HiddenObject, Secret, *_SHOWN)):
        return value
    if isinstance(value, str):
        return Hidden(value)
    if depth and isinstance(value, (list, tuple)):
        found = [hidden(one, depth - 1) for one in value]
        return tuple(found) if isinstance(value, tuple) else found
    if depth and isinstance(value, Mapping):
        return {_hidden_key(key): hidden(one, depth - 1) for key, one in value.items()}
    return HiddenObject(value)


def _hidden_key(key: Any) -> Any:
    return key if isinstance(key, str) else HiddenObject(key)


def plain(value: Any) -> Any:
    """A hidden value as it was given: for a moment, in frames where nothing fails."""
    if isinstance(value, Hidden):
        return str(value)
    if isinstance(value, HiddenObject):
        return value.value
    if type(value) in {list, tuple}:
        return type(value)(map(plain, value))
    if type(value) is dict:
        return {plain(key): plain(one) for key, one in value.items()}
    return value


def kind(value: object) -> str:
    """The name of a value's type, for the error that it is another than it should be."""
    if isinstance(value, HiddenObject):
        return type(value.value).__name__
    return "str" if isinstance(value, Hidden) else type(value).__name__


def from_file(path: str | os.PathLike[str]) -> Secret:
    """The text of a file, without a last line break, as a value: {"sasl.password": from_file("/run/secrets/x")}."""
    return Secret("file", os.fspath(path))


def from_env(name: str) -> Secret:
    """The value of an environment variable: {"sasl.password": from_env("KAFKA_PASSWORD")}."""
    if not isinstance(name, str):
        raise TypeError(f"the name of an environment variable must be a str, not {type(name).__name__}")
    return Secret("env", name)
