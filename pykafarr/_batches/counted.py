"""Numbers of things, as texts for people have them."""


def counted(number: int, what: str) -> str:
    """So many of something: "1 row", "2,000 rows"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
