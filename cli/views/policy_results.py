"""The output of `policy test`: text for people, JUnit and SARIF for tools. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from xml.etree import ElementTree

import msgspec

from webhook.lint.policy_case import CaseResult

_SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"


class FileResults(msgspec.Struct, frozen=True):
    """The results of one PolicyTest."""

    file: str
    results: tuple[CaseResult, ...]


def as_text(given: Sequence[FileResults]) -> str:
    """Each case with `ok` or `FAILED` and what differs, then the counts."""
    lines = []
    for each in given:
        lines.append(each.file)
        for result in each.results:
            lines.append(f"  {'ok    ' if result.passed else 'FAILED'}  {result.title}")
            lines += [f"          {fault}" for fault in result.faults]
    failed = sum(not result.passed for each in given for result in each.results)
    count = sum(len(each.results) for each in given)
    lines.append(f"{count} cases: {count - failed} passed, {failed} failed")
    return "\n".join(lines)


def as_junit(given: Sequence[FileResults]) -> str:
    """One suite a file, one testcase a case."""
    root = ElementTree.Element("testsuites")
    for each in given:
        failed = sum(not result.passed for result in each.results)
        suite = ElementTree.SubElement(
            root, "testsuite", name=each.file, tests=str(len(each.results)), failures=str(failed)
        )
        for result in each.results:
            case = ElementTree.SubElement(suite, "testcase", classname=each.file, name=result.title)
            if not result.passed:
                ElementTree.SubElement(case, "failure", message=result.faults[0]).text = "\n".join(result.faults)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def as_sarif(given: Sequence[FileResults]) -> str:
    """SARIF 2.1.0: a result for each case that failed."""
    rule = {"id": "policy-test", "shortDescription": {"text": "A case of a PolicyTest fails."}}
    results = [
        {
            "ruleId": "policy-test",
            "level": "error",
            "message": {"text": f"{result.title}: {'; '.join(result.faults)}"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": each.file}, "region": {"startLine": 1}}}],
        }
        for each in given
        for result in each.results
        if not result.passed
    ]
    run = {"tool": {"driver": {"name": "jobflow policy test", "rules": [rule]}}, "results": results}
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2)


def as_json(given: Sequence[FileResults]) -> str:
    return json.dumps([msgspec.to_builtins(each) for each in given], indent=2)


FORMATS: Final[Mapping[str, Callable[[Sequence[FileResults]], str]]] = {
    "text": as_text,
    "junit": as_junit,
    "sarif": as_sarif,
    "json": as_json,
}
