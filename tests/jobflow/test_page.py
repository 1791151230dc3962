"""The code on docs/sdk.md runs as it is printed there."""

import re
from pathlib import Path
from typing import Final

import pytest

PAGE: Final = Path("docs/sdk.md")
BLOCKS: Final = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_code_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks build on each other, as the text does."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "page.py"
    file.write_text("\n".join(BLOCKS))
    names: dict[str, object] = {"__name__": "page"}
    exec(compile(file.read_text(), str(file), "exec"), names)
    assert "flow" in names
