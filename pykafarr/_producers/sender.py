"""Where and how frames are sent, as data: for one call, and for the tasks of an engine."""

from __future__ import annotations

import base64
import uuid
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from .._options import checks, table
from .._options.keywords import hide_secrets, no_argument
from .._options.secrets import hidden_argument, plain
from .._options.sends import WriteOptions
from .open import producer
from .report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from typing_extensions import Unpack

    from .._options.secrets import Secret
    from .send import Sends


class Sender:
    """Where and how frames are sent, without a connection: pickle it, and call `send()` where the rows are.

    Each call opens a producer, sends, waits until the brokers have the rows, and closes the producer. What runs a call
    again writes its rows again (at least once); docs/engines.md says how to tell them apart. With a `transactional_id`
    the rows of a call are seen all or not at all.

    Secrets that were given by `from_env()` or `from_file()` are pickled as these references and read where `send()` is
    called; an `oauth_token=` function is pickled as functions are, by its name. A file of a schema is read when the
    sender is made.
    """

    _settings: dict[str, Any] = {}  # noqa: RUF012  # of one whose arguments are wrong, which tracebacks may show

    @hide_secrets
    def __init__(
        self,
        servers: str | Iterable[str],
        topic: str,
        registry_url: str | Secret | None,
        *,
        task_header: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> None:
        """Takes the options of `producer()` and of its `send()`, and connects to nothing.

        Args:
            servers: as in `producer()`.
            topic: as in `Producer.send()`.
            registry_url: as in `producer()`.
            task_header: the name of a header in which each message says what sent it: "<run>/<part>/<attempt>". run
                and part are those of `send()`, and attempt is another text for each call.
            **options: as in `producer()` and `Producer.send()`. Of `transactional_id`, each part has its own:
                "<transactional_id>-<part>".

        Raises:
            ConfigError, TypeError: an argument has a wrong value or type. What is wrong with config, registry_config
                and registry_url is raised by `send()`, as the secrets among them may be on other machines only.
        """
        if unknown := next((name for name in options if name not in WriteOptions.__annotations__), None):
            del options  # this frame keeps no passwords
            raise TypeError(no_argument("Sender", unknown, [*WriteOptions.__annotations__, "task_header"]))
        given = {"servers": servers, "registry_url": registry_url, **options}
        self._arguments = {
            name: hidden_argument(name, given.get(name, option.default)) for name, option in table.PRODUCER.items()
        }
        table.settings((option for option in table.PRODUCER.values() if not option.late), self._arguments)
        send = {"topic": topic, "message_type": None, **options}
        self._settings = table.settings(
            table.SEND.values(), {name: send.get(name, option.default) for name, option in table.SEND.items()}
        )
        self._task_header = None if task_header is None else checks.text("task_header", task_header)

    def send(self, frame: Any, *, part: int | None = None, run: str = "") -> Report:
        """Sends the rows of a frame, and waits until the brokers have acknowledged them.

        Args:
            frame: as in `Producer.send()`.
            part: the number of the frame, where a larger one was cut into parts: the same in each attempt to send it,
                and another for each frame that is sent at the same time. None: it is the whole.
            run: a name for `task_header`, which all parts of one write have in common.

        Raises:
            DeliveryError: rows were not written, or it is not known; with a transactional_id, none were written.
            KafarrError, TypeError: as `producer()` and `Producer.send()`.
        """
        return self.send_all([frame], part=part, run=run)

    def send_all(self, frames: Iterable[Any], *, part: int | None = None, run: str = "") -> Report:
        """Sends the frames of an iterable, one after the other, as one part. Their rows are numbered throughout."""
        report = Report(self._settings["topic"])
        settings = self._settings_of(part, run)
        arguments = dict(self._arguments)
        named = arguments["transactional_id"]
        if named is not None and part is not None:
            arguments["transactional_id"] = f"{named}-{part}"
        with producer(**arguments) as out:
            scope: AbstractContextManager[Sends] = nullcontext(out) if named is None else out.transaction()
            with report._attached(), scope as target:
                for frame in frames:
                    target._append(report, settings, frame)
            return report.wait()

    @property
    def derives(self) -> bool:
        """Whether the schema is made of the columns of what is sent."""
        return bool(self._settings["schema"].get("derive"))

    def _settings_of(self, part: int | None, run: str) -> dict[str, Any]:
        """The settings of a send, with the header of this attempt."""
        if self._task_header is None:
            return self._settings
        task = f"{run}/{'' if part is None else part}/{uuid.uuid4().hex[:12]}"
        header = [base64.b64encode(text.encode()).decode() for text in (self._task_header, task)]
        return {**self._settings, "constant_headers": [*self._settings.get("constant_headers", ()), header]}

    def __reduce__(self) -> tuple[Any, ...]:
        # Public names and plain data alone: a pickle outlives the files that classes are in.
        return Sender._restored, (plain(self._arguments), self._settings, self._task_header)

    @classmethod
    def _restored(cls, arguments: dict[str, Any], settings: dict[str, Any], task_header: str | None) -> Sender:
        sender = cls.__new__(cls)
        sender._arguments = {name: hidden_argument(name, value) for name, value in arguments.items()}
        sender._settings = settings
        sender._task_header = task_header
        return sender

    def __repr__(self) -> str:
        return f"<pykafarr.Sender to {self._settings.get('topic')!r}>"


@hide_secrets
def write(
    frame: Any,
    servers: str | Iterable[str],
    topic: str,
    registry_url: str | Secret | None,
    **options: Unpack[WriteOptions],
) -> Report:
    """Sends the rows of a frame to a topic, and waits until the brokers have acknowledged them.

    The counterpart of `read()`, with a producer for this one call: `frame.pipe(pykafarr.write, "kafka:9092", "PRICES",
    "http://registry:8081/", message_type="com.example.Price")`. Whoever sends often keeps a `producer()`.

    Args:
        frame: a frame of pandas or polars, or another that `Producer.send()` takes.
        servers: as in `producer()`.
        topic: as in `Producer.send()`.
        registry_url: as in `producer()`.
        **options: as in `producer()` and `Producer.send()`. With a `transactional_id`, readers see all rows or none.

    Raises:
        DeliveryError: rows were not written, or it is not known. Its `report` says which.
        KafarrError, TypeError: as `producer()` and `Producer.send()`.
    """
    if unknown := next((name for name in options if name not in WriteOptions.__annotations__), None):
        del options  # this frame keeps no passwords
        raise TypeError(no_argument("write", unknown, WriteOptions.__annotations__))
    return Sender(servers, topic, registry_url, **options).send(frame)
