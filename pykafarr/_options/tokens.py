"""Tokens for SASL OAUTHBEARER, as a function of the user's gives them."""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from .._errors import KafarrError
from . import checks
from .secrets import hidden, kind


class OAuthToken(NamedTuple):
    """A token, as the function of `oauth_token=` gives it.

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
    """The token as the library takes it.

    Raises:
        AnswerError: what was given is no token. The variables of its frames do not show it.
    """
    if not (isinstance(given, tuple) and 2 <= len(given) <= 4):  # token and expiry at least
        name = kind(given)
        del given
        raise AnswerError(f"gave {name}: it must give an OAuthToken or a tuple of two to four")
    made: tuple[Any, ...] = OAuthToken(*given)  # as far as the types go, whatever the function likes
    expiry, (token, principal, extensions) = made[1], hidden([made[0], made[2], made[3]])
    del given, made
    if not isinstance(token, str) or not isinstance(principal, str):
        raise AnswerError(f"gave a token of type {kind(token)} and a principal of type {kind(principal)}: both are str")
    if isinstance(expiry, datetime) and expiry.tzinfo is not None:
        expiry = int(expiry.timestamp() * 1000)
    if not checks.is_integer(expiry):
        name = kind(expiry)
        del expiry
        raise AnswerError(f"gave an expiry of type {name}: a datetime with a time zone or int milliseconds")
    try:
        named = checks.properties("extensions", extensions)
        checks.text("token", token)
    except (TypeError, KafarrError) as error:
        raise AnswerError(f"gave something wrong: {error}") from None
    return {"token": token, "expiry_ms": operator.index(expiry), "principal": principal, "extensions": named}
