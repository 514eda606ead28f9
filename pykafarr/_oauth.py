"""Tokens for SASL OAUTHBEARER, from a function of the user's."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from . import _arguments
from ._errors import OK, PENDING, KafarrError
from ._lib import Library, encode


class OAuthToken(NamedTuple):
    """What `oauth_token=` gives.

    Attributes:
        token: the token itself.
        expiry: when it ends: a datetime with a time zone, or milliseconds since 1970.
        principal: whom it stands for, as error messages name them.
        extensions: SASL extensions, or None.
    """

    token: str
    expiry: int | datetime
    principal: str = ""
    extensions: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return f"OAuthToken(token='***', expiry={self.expiry!r}, principal={self.principal!r})"


TokenSource: TypeAlias = Callable[[], "OAuthToken | tuple[Any, ...]"]

# A thread that waits in the library needs no signals; this long it may outlive an interpreter that ends.
_SLICE_MS = 1000


def keep(library: Library, handle: int, source: TokenSource) -> None:
    """Starts the thread that asks the function whenever the listener wants a token, whether anybody polls or not.

    It knows the listener's handle only, so as not to keep it alive, and ends when that is closed.
    """
    threading.Thread(target=_keep, args=(library, handle, source), name=f"pykafarr-oauth-{handle}", daemon=True).start()


def _keep(library: Library, handle: int, source: TokenSource) -> None:
    error = library.new("kafarr_error")
    while (status := library.lib.listener_token_wanted(handle, _SLICE_MS, error)) in (OK, PENDING):
        if status == OK and library.lib.listener_token(handle, *encode(_ask(source)), error) != OK:
            return


def _ask(source: TokenSource) -> dict[str, Any]:
    """The function's answer as the library takes it; of an exception only the type, for its text may hold a secret."""
    try:
        return _answer(source())
    except _AnswerError as error:
        return {"failure": f"oauth_token() {error}"}
    except BaseException as error:  # noqa: BLE001  # there is nobody else in this thread to tell
        return {"failure": f"oauth_token() raised {type(error).__module__}.{type(error).__qualname__}"}


class _AnswerError(TypeError):
    """The function gave something else than a token."""


def _answer(given: object) -> dict[str, Any]:
    if not (isinstance(given, tuple) and 2 <= len(given) <= 4):  # token and expiry at least
        raise _AnswerError(f"gave {_type(given)}: it must give an OAuthToken or a tuple of two to four")
    made: tuple[Any, ...] = OAuthToken(*given)  # as far as the types go, whatever the function likes
    token, expiry, principal, extensions = made
    if not isinstance(token, str) or not isinstance(principal, str):
        raise _AnswerError(
            f"gave a token of type {_type(token)} and a principal of type {_type(principal)}: both are str"
        )
    if isinstance(expiry, datetime) and expiry.tzinfo is not None:
        expiry = int(expiry.timestamp() * 1000)
    if not _arguments.is_integer(expiry):
        raise _AnswerError(f"gave an expiry of type {_type(expiry)}: a datetime with a time zone or int milliseconds")
    try:
        named = _arguments.properties("extensions", extensions)
        _arguments.text("token", token)
    except (TypeError, KafarrError) as error:
        raise _AnswerError(f"gave something wrong: {error}") from None
    return {"token": token, "expiry_ms": operator.index(expiry), "principal": principal, "extensions": named}


def _type(value: object) -> str:
    return type(value).__name__
