"""Time zones by their IANA names, read from the pinned tzdata package alone.

The machine's own zone files are not used: both processes, the command and every node must agree on what a name means.
"""

import difflib
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

UTC_NAME: Final = "Etc/UTC"


class ZoneError(ValueError):
    """There is no time zone of that name. The message names similar ones."""


@cache
def names() -> frozenset[str]:
    """All IANA names, links included."""
    return frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split())


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of that name; the empty name means UTC. Raises ZoneError."""
    known = name or UTC_NAME
    if known not in names():
        raise ZoneError(_problem(known))
    path = files("tzdata").joinpath("zoneinfo", *known.split("/"))
    with path.open("rb") as data:
        return ZoneInfo.from_file(data, key=known)


def _problem(name: str) -> str:
    by_lower = {each.lower(): each for each in names()}
    if name.lower() in by_lower:
        return f'time zone names are case-sensitive; use "{by_lower[name.lower()]}"'
    similar = difflib.get_close_matches(name, names(), 2, 0.7)
    hint = f"; similar: {', '.join(similar)}" if similar else ', such as "Europe/Berlin" or "UTC"'
    return f"not an IANA time zone name{hint}"
