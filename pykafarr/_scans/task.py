"""A task: a part of a plan, for a worker somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._errors import ConfigError
from .._options.keywords import hide_secrets
from .._options.scans import Options
from .._options.secrets import plain
from .handle import only_schema, schemas
from .stream import Stream

if TYPE_CHECKING:
    import pyarrow as pa
    from typing_extensions import Unpack

    from .._options.scans import ReadOptions


class Task:
    """A range of one partition. Made by `Plan.tasks()`; pickle it, and call `read()` where it arrives.

    Secrets that were given by `from_env()` or `from_file()` are pickled as these references and read there; an
    `oauth_token=` function is pickled as functions are, by its name.
    """

    __slots__ = ("_data", "_options", "_schemas")

    def __init__(self, options: Options, data: dict[str, Any], schemas: dict[str, pa.Schema] | None) -> None:
        self._options = options
        self._data = data
        self._schemas = schemas

    @property
    def topic(self) -> str:
        """Name of the topic."""
        return str(self._data["partitions"][0][0])

    @property
    def partition(self) -> int:
        """Number of the partition."""
        return int(self._data["partitions"][0][1])

    @property
    def start(self) -> int:
        """The first offset."""
        return int(self._data["partitions"][0][2])

    @property
    def end(self) -> int:
        """The offset after the last one."""
        return int(self._data["partitions"][0][3])

    @property
    def rows(self) -> int:
        """The number of offsets: of rows, or more, where the log has gaps."""
        return self.end - self.start

    @property
    def schemas(self) -> dict[str, pa.Schema]:
        """As `Plan.schemas`; known without asking where the plan's was asked for before the tasks were made."""
        if self._schemas is None:
            self._schemas = schemas(self._options, self._data)
        return self._schemas

    @property
    def schema(self) -> pa.Schema:
        """As `Plan.schema`."""
        return only_schema(self.schemas)

    def read(self) -> Stream:
        """Begins to read the range, and gives the stream of its batches. As often as you like.

        Raises:
            ConfigError: a secret's file or variable is missing here.
        """
        return Stream(self._options, self._data, lambda: self.schemas, None)

    @hide_secrets
    def with_options(self, **options: Unpack[ReadOptions]) -> Task:
        """A task of the same range that reads it otherwise, as `Plan.with_options()`; all but reader_schema can change.

        Connects to nothing. A wrong option is raised by this or by `read()`.
        """
        if "reader_schema" in options:
            raise ConfigError("reader_schema cannot be changed in a task, only in its plan: plan.with_options(...)")
        return Task(self._options.changed(options), self._data, None)

    def __reduce__(self) -> tuple[Any, ...]:
        # Public names and plain data alone: a pickle outlives the files that classes are in.
        return Task._restored, (plain(self._options.arguments), self._data, self._schemas)

    @classmethod
    def _restored(cls, arguments: dict[str, Any], data: dict[str, Any], schemas: dict[str, pa.Schema] | None) -> Task:
        return cls(Options(arguments), data, schemas)

    def __repr__(self) -> str:
        return f"<pykafarr.Task {self.topic}[{self.partition}] from {self.start} up to {self.end}>"
