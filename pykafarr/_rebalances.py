"""The callables that are told of rebalances, run between two slices of a poll, and by close()."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

from ._errors import ClosedError
from ._lib import library
from ._places import TopicPartition

OnAssign: TypeAlias = Callable[[list[TopicPartition]], object]
OnRevoke: TypeAlias = Callable[[list[TopicPartition], bool], object]


class Rebalances:
    """Runs on_assign and on_revoke for what waits in the library, which goes on when they have ended."""

    def __init__(self, on_assign: OnAssign | None, on_revoke: OnRevoke | None) -> None:
        for name, given in (("on_assign", on_assign), ("on_revoke", on_revoke)):
            if given is not None and not callable(given):
                raise TypeError(f"{name} must be callable, not {type(given).__name__}")
        self.on_assign = on_assign
        self.on_revoke = on_revoke
        self._turn = threading.RLock()  # close() may come from another thread than the poll
        self._running = False

    def settings(self) -> dict[str, bool]:
        """What the library has to wait for."""
        return {"on_assign": self.on_assign is not None, "on_revoke": self.on_revoke is not None}

    def tell(self, handle: int) -> None:
        """Runs the callables until nothing waits. One that raises, also by Ctrl-C, has been told all the same."""
        library_ = library()
        with self._turn:
            if self._running:  # it closes the listener itself
                return
            self._running = True
            try:
                while (found := library_.json(library_.lib.listener_rebalance, handle)) is not None:
                    try:
                        self._run(found)
                    finally:
                        with contextlib.suppress(ClosedError):  # by the callable, whose own exception matters more
                            library_.call(library_.lib.listener_rebalanced, handle)
            finally:
                self._running = False

    def _run(self, found: dict[str, Any]) -> None:
        partitions = [TopicPartition(topic, number) for topic, number in found["partitions"]]
        if not found["revoked"] and self.on_assign:
            self.on_assign(partitions)
        elif found["revoked"] and self.on_revoke:
            self.on_revoke(partitions, found["lost"])
