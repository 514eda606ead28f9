"""Numbers of things in texts: "1 row", "2,000 rows"."""


def counted(number: int, what: str) -> str:
    """The number with its noun."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
