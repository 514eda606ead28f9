"""The names that are known, and the one that was probably meant, for the error of an unknown name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# So many names are listed, of columns or message types, say.
_MOST = 20


def known(name: str, names: Iterable[str]) -> str:
    """The end of an error: "a, b. Did you mean b?", or "none"."""
    found = list(names)
    if not found:
        return "none"
    listed = ", ".join(found[:_MOST]) + (", …" if len(found) > _MOST else "")
    likely = nearest(name, found)
    return listed if likely is None else f"{listed}. Did you mean {likely}?"


def nearest(name: str, names: list[str]) -> str | None:
    """The name that is most alike, whatever its case: as a whole, or but for what is before the last dot."""
    meant = name.casefold()
    by_form: dict[str, str] = {}
    for one in names:
        form = one.casefold()
        by_form.setdefault(form, one)
        by_form.setdefault(form.rpartition(".")[2], one)
    for form in (meant, meant.rpartition(".")[2]):
        import difflib  # noqa: PLC0415  # which importing pykafarr does not load

        if likely := difflib.get_close_matches(form, by_form, n=1):
            return by_form[likely[0]]
    return None
