"""Release notes from CHANGELOG.md, which has one entry a change, newest first."""

import re

_HEADING = re.compile(r"(?m)^## (.+)$")


def entries(changelog: str, version: str) -> list[str]:
    """The changes of a version, each on one line; of "Unreleased" where the version has no section yet."""
    parts = _HEADING.split(changelog)
    sections = {name.partition(" ")[0]: text for name, text in zip(parts[1::2], parts[2::2], strict=True)}
    text = sections.get(version, sections.get("Unreleased", ""))
    return [" ".join(entry.split()) for entry in re.split(r"(?m)^- ", text) if entry.strip()]


def page(version: str, changes: list[str], files: list[str]) -> str:
    """The release notes as Markdown. `files`: what is attached."""
    lines = [f"# jobflow {version}", "", "## Changes", "", *(f"- {change}" for change in changes)]
    lines += ["", "## Files", "", *(f"- `{name}`" for name in files), ""]
    return "\n".join(lines)
