"""Text of users and containers on a terminal, which would obey the control characters in it: move, colour, retitle."""

from typing import Final

_KEPT: Final = (0x09, 0x0A)  # tab and newline
_SHOWN: Final = (
    {
        code: f"^{chr(code ^ 0x40)}" for code in (*range(0x20), 0x7F) if code not in _KEPT
    }  # escape is ^[, as kubectl prints it
    | {code: f"\\x{code:02x}" for code in range(0x80, 0xA0)}
    | {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}  # they reorder what is read
)


def printable(text: str) -> str:
    """`text` with its control characters spelled out; tabs and newlines stay."""
    return text if text.isprintable() else text.translate(_SHOWN)
