"""Tokens for SASL OAUTHBEARER, as a function of the user's gives them."""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from .._errors import KafarrError
from . import checks


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


class AnswerError(TypeError):
    """What the function gave is no token."""


def answer(given: object) -> dict[str, Any]:
    if not (isinstance(given, tuple) and 2 <= len(given) <= 4):  # token and expiry at least
        raise AnswerError(f"gave {_type(given)}: it must give an OAuthToken or a tuple of two to four")
    made: tuple[Any, ...] = OAuthToken(*given)  # as far as the types go, whatever the function likes
    token, expiry, principal, extensions = made
    if not isinstance(token, str) or not isinstance(principal, str):
        raise AnswerError(
            f"gave a token of type {_type(token)} and a principal of type {_type(principal)}: both are str"
        )
    if isinstance(expiry, datetime) and expiry.tzinfo is not None:
        expiry = int(expiry.timestamp() * 1000)
    if not checks.is_integer(expiry):
        raise AnswerError(f"gave an expiry of type {_type(expiry)}: a datetime with a time zone or int milliseconds")
    try:
        named = checks.properties("extensions", extensions)
        checks.text("token", token)
    except (TypeError, KafarrError) as error:
        raise AnswerError(f"gave something wrong: {error}") from None
    return {"token": token, "expiry_ms": operator.index(expiry), "principal": principal, "extensions": named}


def _type(value: object) -> str:
    return type(value).__name__
