"""The listener's positions: where its partitions are, and moving them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, overload

from .._library.library import encode
from .._options import offsets
from .._options.offsets import Place, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from .._library.library import Library
    from .._library.slot import Slot


class Positions:
    """The partitions of a listener, which any thread may ask about and move, also during a poll."""

    _handle: int
    _polling: bool
    _slot: Slot

    def _library(self) -> Any:
        raise NotImplementedError

    @overload
    def seek(self, topic: str, partition: int, to: Place) -> None: ...

    @overload
    def seek(self, topic: Mapping[tuple[str, int], Place]) -> None: ...

    def seek(
        self, topic: str | Mapping[tuple[str, int], Place], partition: int | None = None, to: Place | None = None
    ) -> None:
        """Moves a partition: the next rows that polls give of it are those from `to` on.

        `p.seek({(topic, partition): to, …})` moves many in one step, which takes no longer than moving one.

        Rows that were received and not returned yet are dropped, so none from before appears any more. Commits follow:
        rows before the new place count as acknowledged, rows from there on as not, whatever was returned before.
        So after `p.seek(topic, partition, "latest"); p.commit()` the group passes over what it skipped.

        Args:
            topic: name of the topic; or a dict of (topic, partition) and places.
            partition: number of the partition; the listener must have it (see `assignment()`).
            to: an offset (int); "earliest", the first row that is still there; "latest", after the last row;
                "committed", where the group left off; a datetime with a time zone or `Milliseconds`, the first row
                with that timestamp or a later one, and the end of the log when there is none.

        Raises:
            BrokerError: the offset is not in the log, whose range the message tells; or the cluster does not answer
                within `ready_timeout`. Nothing has moved.
            StateError: the partition is not assigned to this listener. Before the first poll it has none but those
                of `assign=`; to begin elsewhere, use `start=`.
            ConfigError: an argument has a wrong value, such as a datetime without a time zone.
            TypeError: an argument has a wrong type.
        """
        library = self._library()
        if isinstance(topic, Mapping):
            if partition is not None or to is not None:
                raise TypeError("seek takes a dict of places alone, or topic, partition and to")
            targets = offsets.targets(topic)
        else:
            targets = [(*offsets.partition("seek", (topic, partition)), *offsets.place("to", to))]
        self._give_back(library)
        library.wait(library.handle(library.lib.listener_seek_start, self._handle, *encode(targets)))

    def pause(self, partitions: Iterable[str | tuple[str, int]] | str | None = None) -> None:
        """Stops partitions: polls give none of their rows until `resume()`, and do not wait for them.

        They stay assigned, and paused when a rebalance takes them away and gives them back. What was received of them
        and not returned comes after `resume()`.

        Args:
            partitions: (topic, partition) tuples, or names of topics for all their partitions; None: all that are
                assigned now.

        Raises:
            StateError: a partition is not assigned to this listener.
            TypeError: an argument has a wrong type.
        """
        library = self._library()
        chosen = offsets.partitions(partitions)
        self._give_back(library)
        self._pause(library, chosen, pause=1)

    def resume(self, partitions: Iterable[str | tuple[str, int]] | str | None = None) -> None:
        """Resumes paused partitions. Takes and raises what `pause()` does; others are left as they are."""
        library = self._library()
        self._pause(library, offsets.partitions(partitions), pause=0)

    def position(self) -> dict[TopicPartition, int]:
        """The next offset that a poll returns, for each assigned partition.

        Where nothing was read yet, it is the offset where reading begins.

        Raises:
            BrokerError: the cluster had to be asked, and does not answer within `ready_timeout`.
        """
        library = self._library()
        return self._offsets(library, library.lib.listener_position_start) | self._unreturned()

    def committed(self) -> dict[TopicPartition, int | None]:
        """The offset that the group has committed for each assigned partition, asked of the cluster; None: none.

        Raises:
            BrokerError: the cluster does not answer within `ready_timeout`.
        """
        library = self._library()
        found = self._offsets(library, library.lib.listener_committed_start)
        return {key: None if offset < 0 else offset for key, offset in found.items()}

    def lag(self) -> pd.DataFrame:
        """The lag of each assigned partition: how many offsets are left to its end, asked of the cluster.

        Returns:
            A frame with a row for each partition and the columns topic, partition, position (as `position()` tells),
            end and lag, which is end - position; all but the topic are int64. The end is that of the log as far as it
            can be read: with isolation.level=read_committed, librdkafka's default, up to the first open transaction.
            The lag counts offsets: where the log has gaps, as with transactions and compaction, it is more than rows.

        Raises:
            BrokerError: the cluster does not answer within `ready_timeout`.
        """
        import pandas as pd  # noqa: PLC0415  # which importing pykafarr does not load

        found = [asked[:5] for asked in self._ask_lag()]
        names = ("topic", "partition", "position", "end", "lag")
        columns: Any = zip(*found, strict=True) if found else [[]] * len(names)
        dtypes = dict.fromkeys(names[1:], "int64") | {"topic": "str"}
        frame: pd.DataFrame = pd.DataFrame(dict(zip(names, map(list, columns), strict=True))).astype(dtypes)
        for key, first in self._unreturned().items():
            row = (frame["topic"] == key.topic) & (frame["partition"] == key.partition)
            frame.loc[row, "position"] = first
            frame.loc[row, "lag"] = frame.loc[row, "end"] - first
        return frame

    def _ask_lag(self) -> list[Any]:
        """Topic, partition, position, end, lag, and whether it is paused, for each assigned partition."""
        library = self._library()
        return library.wait(library.handle(library.lib.listener_lag_start, self._handle)) or []

    def assignment(self) -> list[TopicPartition]:
        """The partitions that this listener has now, in the order of their names and numbers.

        A subscription's come from the group, within polls: before the first one there are none.

        Raises:
            GroupError: the client cannot continue, as every other call but `close()` does then.
        """
        library = self._library()
        return [TopicPartition(*found) for found in library.json(library.lib.listener_assignment, self._handle)]

    def _offsets(self, library: Library, start: Any) -> dict[TopicPartition, int]:
        found = library.wait(library.handle(start, self._handle))
        return {TopicPartition(topic, partition): offset for topic, partition, offset in found}

    def _pause(self, library: Library, partitions: list[tuple[str, int]] | None, pause: int) -> None:
        chosen = (library.ffi.NULL, 0) if partitions is None else encode(partitions)
        library.wait(library.handle(library.lib.listener_pause_start, self._handle, pause, *chosen))

    def _unreturned(self) -> dict[TopicPartition, int]:
        """The first offsets of a batch that the library handed over to a poll that was interrupted."""
        if not self._waits():
            return {}
        # Another thread may have begun to poll since, and may be taking the batch now: see `Listener._poll`.
        if self._polling:
            return {}
        self._polling = True
        try:
            ranges = self._slot.info()["ranges"] if self._filled() else []
        finally:
            self._polling = False
        return {TopicPartition(*found[:2]): found[2] for found in ranges}

    def _give_back(self, library: Library) -> None:
        """Gives back a batch that an interrupted poll left, to be read again: it may hold rows of any partition."""
        if not self._waits():
            return
        if self._polling:  # as above
            return
        self._polling = True
        try:
            if self._filled():
                info = self._slot.info()
                batches = encode({"ids": [info["id"]], "ranges": [found[:4] for found in info["ranges"]]})
                library.wait(library.handle(library.lib.listener_give_back_start, self._handle, *batches))
                self._slot.clear()
        finally:
            self._polling = False

    def _waits(self) -> bool:
        """Whether a batch of an interrupted poll waits for the next one."""
        return not self._polling and self._filled()

    def _filled(self) -> bool:
        return self._slot.filled and not self._slot.error.code
