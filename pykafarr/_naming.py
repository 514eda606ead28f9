"""Public classes are named as programs name them, and their source is found in the files that they are in."""

from __future__ import annotations

from typing import Any


class _Source:
    """`__wrapped__` of a public class, which `inspect` follows to find the source.

    `inspect` looks for a class in the file of the module that `__module__` names, which is the public module here. What
    it is led to has the name, the module and the parameters of the class as they were defined. Only the class itself
    has this attribute: a class that is derived from it is in a file of its own.
    """

    def __init__(self, kind: type) -> None:
        self.kind = kind
        doc = "Leads tools to the source of the class."
        self.defined = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": doc}
        if "__firstlineno__" in vars(kind):  # Python 3.13
            self.defined["__firstlineno__"] = vars(kind)["__firstlineno__"]

    def __get__(self, instance: object, owner: type) -> type:
        if instance is not None or owner is not self.kind:
            raise AttributeError("__wrapped__")
        parameters: dict[str, Any] = {"__new__": owner.__new__, "__init__": owner.__init__}  # type: ignore[misc]
        return type(owner.__name__, (), {**self.defined, **parameters})


def publish(kind: type, module: str) -> None:
    """Names a class by its public module, as pickles, tracebacks and `help()` show it."""
    kind.__wrapped__ = _Source(kind)  # type: ignore[attr-defined]
    kind.__module__ = module
