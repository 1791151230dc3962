"""Text of users on a terminal: it shows every control character and obeys none."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from cli.views.table import columns
from drawing.styled_line import StyledLine
from drawing.terminal_text import printable

TITLE = "\x1b]0;owned\x07\x1b[31mred\x1b[0m"
SHOWN = "^[]0;owned^G^[[31mred^[[0m"


def test_escapes_are_spelled_out_as_kubectl_does() -> None:
    assert printable(TITLE) == SHOWN
    assert printable("a\rb\x7f\x9bc") == "a^Mb^?\\x9bc"
    assert printable("left \u202eright") == "left \\u202eright"


def test_plain_text_stays() -> None:
    text = "größe → 10 ½\tof 数据\nsecond line ❤️‍🔥"
    assert printable(text) == text


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    assert not [each for each in printable(text) if unicodedata.category(each) == "Cc" and each not in "\t\n"]


def test_lines_and_tables_are_as_wide_as_what_they_show() -> None:
    assert StyledLine.of(("x", "bold"), TITLE).plain == f"x{SHOWN}"
    assert StyledLine.of(TITLE).rich().plain == SHOWN
    lines = [line.plain for line in columns(("NAME", "WHY"), [(TITLE, "b"), ("a", "c")])]
    assert len({line.rindex(line[-1]) for line in lines[1:]}) == 1
