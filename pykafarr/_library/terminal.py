"""Output on a terminal: control characters in messages are shown, not obeyed."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# C0 but for tabs and line ends, DEL, C1, and what changes the direction or the lines of a text.
_OBEYED: tuple[Iterable[int], ...] = (
    (code for code in range(0x20) if chr(code) not in "\t\n"),
    range(0x7F, 0xA0),
    (0x61C, 0x200E, 0x200F),
    range(0x2028, 0x202F),
    range(0x2066, 0x206A),
)
# As JSON writes them, so that a line of JSON stays one.
_SHOWN = {code: f"\\u{code:04x}" for codes in _OBEYED for code in codes}


def shown(text: str) -> str:
    r"""A text with its control characters as \u001b and the like."""
    return text.translate(_SHOWN)


class Escaping(io.TextIOBase):
    """A terminal that is given no control characters."""

    def __init__(self, terminal: TextIO) -> None:
        self.terminal = terminal

    def write(self, text: str) -> int:
        """Writes a text, with its control characters as \\u001b and the like."""
        self.terminal.write(shown(text))
        return len(text)

    def flush(self) -> None:
        """Flushes the terminal."""
        self.terminal.flush()

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self.terminal.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # of which typeshed makes an attribute
        """The terminal's encoding."""
        return self.terminal.encoding


class Closed(io.TextIOBase):
    """The standard output of a process that was started without one."""

    def write(self, _: str) -> int:
        """Raises OSError."""
        raise OSError(errno.EBADF, "stdout is closed")


@contextlib.contextmanager
def standing() -> Iterator[None]:
    """Replaces standard streams that are closed (`>&-` in a shell), for which Python has None.

    Their descriptors are taken, too. A connection to a broker would else be number 1 or 2, and be sent what is printed.
    """
    with contextlib.ExitStack() as stack:
        if None in (sys.stdin, sys.stdout, sys.stderr):
            taken = os.open(os.devnull, os.O_RDWR)
            while taken <= 2:
                taken = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            os.close(taken)
        if sys.stdout is None:
            stack.enter_context(contextlib.redirect_stdout(Closed()))
        if sys.stderr is None:  # nobody would read it
            nowhere = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            stack.enter_context(contextlib.redirect_stderr(nowhere))
        yield


@contextlib.contextmanager
def escaping() -> Iterator[None]:
    """Shows the control characters of what is printed to a terminal; files and pipes get the text as it is."""
    with contextlib.ExitStack() as stack:
        if sys.stdout.isatty():
            stack.enter_context(contextlib.redirect_stdout(Escaping(sys.stdout)))
        if sys.stderr.isatty():
            stack.enter_context(contextlib.redirect_stderr(Escaping(sys.stderr)))
        yield


def discard_output() -> None:
    """Sends what is still to be printed nowhere: Python flushes it at exit, and would fail once more."""
    with contextlib.suppress(io.UnsupportedOperation):  # what replaces stdout may have no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def commanded(stream: TextIO) -> TextIO:
    """The terminal itself, for control characters of our own: a progress line is written over."""
    return stream.terminal if isinstance(stream, Escaping) else stream
