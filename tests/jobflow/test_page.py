"""The code on docs/sdk.md runs as it is printed there."""

import re
from pathlib import Path
from typing import Final

import pytest

PAGE: Final = Path("docs/sdk.md")
LIVE: Final = "<!-- needs a cluster -->\n\n"
BLOCKS: Final = re.findall(rf"(?<!{re.escape(LIVE)})```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_code_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks build on each other, as the text does."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "page.py"
    file.write_text("\n".join(BLOCKS))
    names: dict[str, object] = {"__name__": "page"}
    exec(compile(file.read_text(), str(file), "exec"), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        assert callable(test)
        test()


def test_the_timeline_of_the_page_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile("\n".join(BLOCKS[:2]), str(PAGE), "exec"), {"__name__": "page"})
    (shown,) = re.findall(r"```text\n(prepare .*?)```", PAGE.read_text(), re.DOTALL)
    assert capsys.readouterr().out.endswith(shown)
