"""The callables for rebalances, which are called between two slices of a poll, and by close()."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .._errors import ClosedError
from .._library.library import encode, library
from .._options import offsets
from .._options.offsets import Place, TopicPartition

# Gives where partitions begin, or None for where they begin without it.
OnAssign: TypeAlias = Callable[[list[TopicPartition]], Mapping[Any, Place] | None]
OnRevoke: TypeAlias = Callable[[list[TopicPartition], bool], object]


class Rebalances:
    """Calls on_assign and on_revoke for rebalances that wait in the library, which continues when they return."""

    def __init__(self, on_assign: OnAssign | None, on_revoke: OnRevoke | None) -> None:
        self.on_assign = on_assign
        self.on_revoke = on_revoke
        self._turn = threading.RLock()  # close() may come from another thread than the poll
        self._running = False

    def run(self, handle: int) -> None:
        """Calls them until no rebalance waits.

        An on_revoke that raises, also by Ctrl-C, is not called again for the same partitions. An on_assign that raises
        is called again by the next poll: where its partitions begin is not known, and nothing is fetched of them.
        """
        library_ = library()
        with self._turn:
            if self._running:  # it closes the listener itself
                return
            self._running = True
            try:
                while (found := library_.json(library_.lib.listener_rebalance, handle)) is not None:
                    partitions = [TopicPartition(topic, number) for topic, number in found["partitions"]]
                    if found["revoked"]:
                        self._revoke(handle, partitions, found["lost"])
                    else:
                        self._assign(handle, partitions)
            finally:
                self._running = False

    def _assign(self, handle: int, partitions: list[TopicPartition]) -> None:
        begin = self.on_assign(partitions) if self.on_assign else None
        _confirm(handle, [] if begin is None else offsets.begin("what on_assign returned", begin))

    def _revoke(self, handle: int, partitions: list[TopicPartition], lost: bool) -> None:
        try:
            if self.on_revoke:
                self.on_revoke(partitions, lost)
        finally:
            _confirm(handle, [])


def _confirm(handle: int, begin: offsets.Places) -> None:
    library_ = library()
    with contextlib.suppress(ClosedError):  # by the callable, whose own exception matters more
        places = encode(begin) if begin else (library_.ffi.NULL, 0)
        library_.wait(library_.handle(library_.lib.listener_rebalanced_start, handle, *places))
