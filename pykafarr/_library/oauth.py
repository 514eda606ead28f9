"""The thread that asks the user's function for tokens of SASL OAUTHBEARER."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from .._errors import OK, PENDING
from .._options import tokens
from .._options.secrets import plain
from .library import Library, encode

if TYPE_CHECKING:
    from .._options.tokens import TokenSource

# A thread that waits in the library needs no signals; this long it may outlive an interpreter that ends.
_SLICE_MS = 1000


def start_token_thread(library: Library, handle: int, source: TokenSource) -> None:
    """Starts the thread that calls the function whenever the listener wants a token, also while nobody polls.

    It has only the listener's handle, which keeps no listener alive, and ends when that is closed.
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
        return tokens.answer(plain(source)())
    except tokens.AnswerError as error:
        return {"failure": f"oauth_token() {error}"}
    except BaseException as error:  # noqa: BLE001  # it cannot be raised: this thread has no caller
        return {"failure": f"oauth_token() raised {type(error).__module__}.{type(error).__qualname__}"}
