"""The native library: found, loaded at first use, and called.

Nothing is loaded by `import pykafarr`. The first call that needs the library dlopens it, which starts the threads of
the Go runtime; they do not survive a fork, so a child forked after that is refused here instead of hanging there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from .._errors import ERROR_CLASSES, OK, PENDING, ClosedError, ForkError, InternalError, KafarrError
from .._version import __version__
from .logs import log_notices

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Every wait returns to Python this often, so that Ctrl-C is answered at once.
SLICE_MS = 100

_loading = threading.Lock()


class _Process:
    """The library as this process has loaded it."""

    loaded: Library | None = None
    forked = False


def library() -> Library:
    """The loaded library; loads it at the first call.

    Raises ForkError in a child that was forked after the library was loaded, ImportError when it cannot be loaded.
    """
    if _Process.forked:
        raise ForkError(
            "pykafarr cannot be used in a process forked after its first use: its threads exist in the parent only. "
            'Start workers with multiprocessing.get_context("spawn"), or use pykafarr first in the child.'
        )
    return _Process.loaded or _load()


def usable() -> bool:
    """Whether destructors may call the library: it is loaded, and by this very process."""
    return _Process.loaded is not None and not _Process.forked


def _load() -> Library:
    with _loading:
        if _Process.loaded is None:
            path = library_path()
            loaded = Library(path)
            # Only the package's own library must match; PYKAFARR_LIBRARY asks for another one on purpose.
            version = loaded.versions["version"]
            if version != __version__ and "PYKAFARR_LIBRARY" not in os.environ:
                raise ImportError(
                    f"pykafarr {__version__} found the library of version {version} at {path}. "
                    "Install pykafarr again; in a source tree, run make build."
                )
            os.register_at_fork(after_in_child=_mark_forked)
            _Process.loaded = loaded
        return _Process.loaded


def _mark_forked() -> None:
    _Process.forked = True


def library_path() -> Path:
    """Where the library is, or is to be: PYKAFARR_LIBRARY may say."""
    from pathlib import Path  # noqa: PLC0415  # which importing pykafarr does not load

    named = os.environ.get("PYKAFARR_LIBRARY")
    path = Path(named) if named else Path(__file__).parent.parent / "_native" / "libkafarr.so"
    if not path.is_file():
        raise ImportError(f"pykafarr's library is missing: {path}. Install a wheel; in a source tree, run make build.")
    return path


def _declarations(header: str) -> str:
    """The part of the header that cffi can parse: no preprocessor lines, nothing between the CFFI-SKIP marks."""
    code = re.sub(r"/\* CFFI-SKIP-BEGIN \*/.*?/\* CFFI-SKIP-END \*/", "", header, flags=re.DOTALL)
    return re.sub(r"^#[^\n]*$", "", code, flags=re.MULTILINE)


# Those that this package names; see Library._look_up.
_TYPES = (
    *(f"struct kafarr_{name}{pointer}" for name in ("batch", "error") for pointer in ("", " *")),
    *("int64_t *", "int64_t[1]", "char **", "uintptr_t", "const uint8_t *", "const int64_t *"),
)


class Library:
    """The functions of kafarr.h, with its conventions (status, errors, texts to free, slices) turned into Python's.

    ffi and lib are cffi's; the header that describes the library is in the same folder.
    """

    def __init__(self, path: Path) -> None:
        # cffi and its C parser take 40 ms to import, so only programs that use the library do.
        from cffi import FFI  # noqa: PLC0415

        ffi: Any = FFI()
        self.ffi = ffi
        for header in ("kafarr.h", "kafarr_testing.h"):
            if (path.parent / header).is_file():
                ffi.cdef(_declarations((path.parent / header).read_text(encoding="utf-8")))
        try:
            # RTLD_LOCAL: confluent_kafka brings a librdkafka of its own, and neither may see the other's.
            self.lib = ffi.dlopen(str(path), ffi.RTLD_NOW | ffi.RTLD_LOCAL)
        except OSError as error:
            raise ImportError(f"pykafarr's library cannot be loaded: {error}", path=str(path)) from error
        self._look_up()
        self.versions: dict[str, str] = json.loads(self.ffi.string(self.lib.kafarr_version()))

    def _look_up(self) -> None:
        """Makes cffi look up all functions and types now, before there is a handle to free.

        It finds each on first use, under a lock that its own thread cannot take twice. A garbage collection in the
        middle of that would hang in the finalizer of a handle, if that needed one of them for the first time, too.
        """
        for name in dir(self.lib):
            getattr(self.lib, name)
        for text in _TYPES:
            self.ffi.typeof(text)

    def new(self, struct: str) -> Any:
        """A zeroed struct."""
        return self.ffi.new(f"struct {struct} *")

    def call(self, function: Callable[..., int], *arguments: Any) -> None:
        """Calls a function whose last parameter is the error struct; raises what it reports."""
        error = self.new("kafarr_error")
        if function(*arguments, error) != OK:
            self.raise_error(error)

    def handle(self, function: Callable[..., int], *arguments: Any) -> int:
        """Calls a function that gives a handle through its last parameter but one."""
        made = self.ffi.new("int64_t *")
        self.call(function, *arguments, made)
        return int(made[0])

    def json(self, function: Callable[..., int], *arguments: Any) -> Any:
        """Calls a function that gives a JSON text through its last parameter but one."""
        text = self.ffi.new("char **")
        self.call(function, *arguments, text)
        return self.take_json(text[0])

    def take_json(self, text: Any) -> Any:
        """The value of a JSON text that the library allocated, which is freed; None for NULL."""
        if text == self.ffi.NULL:
            return None
        try:
            return json.loads(self.ffi.string(text))
        finally:
            self.lib.kafarr_free(text)

    def wait(self, operation: int) -> Any:
        """Waits in slices for the end of an operation and gives its JSON result, or None.

        An exception in between, such as KeyboardInterrupt, leaves the operation to end in the background.
        """
        text, error = self.ffi.new("char **"), self.new("kafarr_error")
        status = PENDING
        try:
            while status == PENDING:
                status = self.lib.kafarr_wait(operation, SLICE_MS, text, error)
        except BaseException:
            self.lib.kafarr_forget(operation)
            raise
        if status != OK:
            self.raise_error(error)
        return self.take_json(text[0])

    def log_notices(self, handle: int) -> None:
        """Logs what a listener, scan or producer has to tell."""
        with contextlib.suppress(ClosedError):  # closed by another thread, which logs the rest
            log_notices(self.json(self.lib.listener_events, handle) or [])

    def raise_error(self, error: Any) -> NoReturn:
        """Raises the exception of a filled error struct."""
        raise self.exception(error)

    def exception(self, error: Any) -> KafarrError:
        """The exception of a filled error struct."""

        def text(member: Any) -> str:
            return str(self.ffi.string(member).decode("utf-8", "replace"))

        def number(member: int) -> int | None:
            return None if member < 0 else member

        return ERROR_CLASSES.get(error.code, InternalError)(
            text(error.message) or f"the library failed with code {error.code} and said nothing",
            topic=text(error.topic) or None,
            partition=number(error.partition),
            offset=number(error.offset),
            schema_id=number(error.schema_id),
            path=text(error.path) or None,
        )


def encode(value: Any) -> tuple[bytes, int]:
    """A value as JSON text with its length, the way the library takes it."""
    text = _Json(json.dumps(value).encode())
    return text, len(text)


class _Json(bytes):
    """A JSON text that tools which print local variables do not show: it may hold passwords."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes of JSON>"
