"""One server process: started, waited for, paused, stopped, and never left behind."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import time
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class ServerError(RuntimeError):
    """A server could not be fetched or started; the message holds the end of its log."""


class ServerProcess:
    """A Java server whose output goes to a log file.

    It is the leader of a process group of its own, so that Ctrl-C in a terminal reaches whoever started it, who then
    stops it in good order. Should that one be killed, the system kills the server too (see _parent_death).

    Start it from the main thread: to the system, the parent that must live is the thread that started it.
    """

    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = command
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

    def start(self) -> None:
        """Starts it and does not wait for anything."""
        if self.running:
            raise ServerError(f"{self.name} is running already")
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*_parent_death(), *self._command],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_until(self, answers: Callable[[], bool], seconds: float = 180) -> None:
        """Waits until it answers. Stops it and tells the end of its log when it does not."""
        deadline = time.monotonic() + seconds
        while not self._answers(answers):
            if not self.running or time.monotonic() > deadline:
                what = f"did not answer within {seconds:.0f} s" if self.running else "ended while starting"
                self.stop()
                raise ServerError(f"{self.name} {what}; its log ends:\n{tail(self.log)}")
            time.sleep(0.05)

    @staticmethod
    def _answers(answers: Callable[[], bool]) -> bool:
        try:
            return answers()
        except (OSError, ValueError):  # refused, reset, timed out, or half an answer
            return False

    @property
    def running(self) -> bool:
        """Whether the process exists; a paused one does."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of what was started."""
        if self._process is None:
            raise ServerError(f"{self.name} was never started")
        return self._process.pid

    def pause(self) -> None:
        """Freezes it: connections stay open, nothing answers."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Lets a paused server continue."""
        os.killpg(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Ends it at once, as a power cut does."""
        if self.running:
            os.killpg(self.pid, signal.SIGKILL)
            self._reap()

    def stop(self, seconds: float = 15) -> None:
        """Ends it in good order, or by force after so many seconds. Nothing happens when it does not run."""
        if self._process is None or not self.running:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGCONT)  # a paused process does not hear SIGTERM
            os.killpg(self.pid, signal.SIGTERM)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def _reap(self) -> None:
        assert self._process is not None
        self._process.wait(15)


@cache
def _parent_death() -> tuple[str, ...]:
    """What stands before the command so that the server dies with its parent: setpriv of util-linux, where it is.

    A preexec_fn with prctl would do the same, but Python code in a forked child may hang when other threads run, and
    tests that restart a server have the threads of librdkafka and of Go.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return ()
    prefix = (setpriv, "--pdeathsig", "KILL")
    tried = subprocess.run([*prefix, "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return prefix if tried.returncode == 0 else ()


def tail(log: Path, lines: int = 40) -> str:
    """The last lines of a log file, indented."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"    (no log: {error})"
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
