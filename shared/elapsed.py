"""Spans of time in few characters, as kubectl shortens them. Pure."""


def age(created: float | None, now: float) -> str:
    """`5s`, `3m`, `2h`, `4d`, as kubectl shortens it."""
    if created is None:
        return "<unknown>"
    seconds = max(int(now - created), 0)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length or (unit == "d" and seconds >= length):
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def lasted(seconds: float) -> str:
    """`42s`, `3m05s`, `2h07m`, `4d03h`: never more than two units."""
    whole = max(int(seconds), 0)
    days, hours, minutes, rest = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    if days:
        return f"{days}d{hours:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
