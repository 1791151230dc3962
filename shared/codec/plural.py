"""Numbers with their nouns and verbs, for messages."""


def number_of(number: int, noun: str) -> str:
    """`1 pod`, `4 pods`. `noun`: singular, with a regular plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def verb(number: int, singular: str, plural: str) -> str:
    """The form that agrees with `number`: `is` or `are`."""
    return singular if number == 1 else plural
