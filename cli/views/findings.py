"""The output of `lint`: text for users, JSON and SARIF for tools. Pure."""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import msgspec

from drawing.styled_line import StyledLine
from webhook.lint.check import ERROR, Finding, Report

_COLOURS: Final = {"error": "bold red", "warning": "yellow"}
_SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_RULES: Final = {
    "fields": ("unknown-field", "The API server drops or refuses fields that are not in the schema."),
    "schema": ("schema", "The API server refuses objects that do not match the schema of their kind."),
    "files": ("repeated-object", "When two objects with one name are applied, the second replaces the first."),
    "yaml": ("yaml", "The file is not valid YAML."),
    "webhook": ("admission", "The admission webhook refuses objects that could not work."),
}


def as_text(report: Report) -> Iterator[StyledLine]:
    """The findings of each object with their lines, then a summary."""
    for (file, kind, name), found in groupby(report.findings, key=lambda each: (each.file, each.kind, each.name)):
        yield StyledLine.of((file, "bold"), (f"  {kind} {name}".rstrip() if kind else "", "cyan"))
        listed = list(found)
        width = max(len(f"{each.line}:{each.column}") for each in listed)
        for each in listed:
            yield _line(each, width)
        yield StyledLine()
    yield from (StyledLine.of(("not judged: ", "yellow"), each) for each in report.not_judged)
    yield summary(report)


def _line(each: Finding, width: int) -> StyledLine:
    path = (f"{each.path}: ", "bold") if each.path else ""
    where = f"  {f'{each.line}:{each.column}':>{width}}  "
    return StyledLine.of((where, "dim"), (f"{each.severity:<8}", _COLOURS[each.severity]), path, each.message)


def summary(report: Report) -> StyledLine:
    """`7 objects checked: 2 errors, 1 warning (3 of other kinds skipped)`."""
    warnings = len(report.findings) - report.errors
    said = f"{_count(report.errors, 'error')}, {_count(warnings, 'warning')}" if report.findings else "no faults"
    left = [f"{report.skipped} of other kinds skipped"] if report.skipped else []
    left += [f"{_count(len(report.not_judged), 'policy check')} not judged"] if report.not_judged else []
    skipped = f" ({', '.join(left)})" if left else ""
    colour = "red" if report.errors else "yellow" if warnings else "green"
    return StyledLine.of(f"{_count(report.checked, 'object')} checked: ", (said, colour), skipped)


def as_json(report: Report) -> str:
    """`{"checked", "skipped", "notJudged": [...], "errors", "warnings", "findings": [...]}`."""
    found = [msgspec.to_builtins(each) | {"text": each.text} for each in report.findings]
    counts = {"checked": report.checked, "skipped": report.skipped, "notJudged": list(report.not_judged)}
    counts |= {"errors": report.errors}
    return json.dumps({**counts, "warnings": len(found) - report.errors, "findings": found}, indent=2)


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0, which code hosts show beside the lines of a change."""
    rules = [{"id": identity, "shortDescription": {"text": text}} for identity, text in dict(_RULES.values()).items()]
    run = {
        "tool": {"driver": {"name": "jobflow lint", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each) for each in report.findings],
    }
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(each: Finding) -> dict[str, Any]:
    region = {"startLine": each.line, "startColumn": each.column}
    place = {"artifactLocation": {"uri": each.file.replace("\\", "/")}, "region": region}
    return {
        "ruleId": _RULES[each.source][0],
        "level": "error" if each.severity == ERROR else "warning",
        "message": {"text": each.text},
        "locations": [{"physicalLocation": place}],
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
