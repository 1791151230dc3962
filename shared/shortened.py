"""Shortens texts of others for messages of limited length."""


def shortened(text: str, most: int) -> str:
    """At most `most` characters of the text; `…` at its end shows that it was cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
