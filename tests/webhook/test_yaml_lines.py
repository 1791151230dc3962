"""YAML with the lines of its fields."""

from itertools import pairwise

import pytest

from webhook.lint.yaml_lines import Document, YamlFault, documents

FLOW = """\
apiVersion: flow.volcano.sh/v1alpha1
kind: JobFlow
metadata:
  name: f
  labels: {app.example.com/x: "1"}
spec:
  flows:
    - name: a
    - name: b
      dependsOn:
        targets: [a,
          c]
---
# empty
---
kind: Second
"""


def read(text: str) -> list[Document]:
    return [each for each in documents(text) if isinstance(each, Document)]


PLACES = {
    "a field": ("kind", (2, 1)),
    "an entry of a list": ("spec.flows[1]", (9, 7)),
    "a field in an entry": ("spec.flows[1].dependsOn", (10, 7)),
    "an entry on its own line": ("spec.flows[1].dependsOn.targets[1]", (12, 11)),
    "a key with dots and slashes": ("metadata.labels[app.example.com/x]", (5, 12)),
    "a field that is missing is its parent": ("spec.flows[0].template", (8, 7)),
    "what is deep in what is missing": ("spec.flows[7].patch.jobSpec", (7, 3)),
    "nothing": ("", (1, 1)),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_field_path_has_a_position(case: str) -> None:
    path, wanted = PLACES[case]
    place = read(FLOW)[0].place(path)
    assert (place.line, place.column) == wanted


def test_empty_documents_are_skipped_and_line_numbers_continue() -> None:
    second = read(FLOW)[1]
    assert second.body == {"kind": "Second"}
    assert second.place("kind").line == 16


VALUES = {
    "times are texts": ("a: 2026-01-02", "2026-01-02"),
    "keys are texts": (
        "a: {1: x, true: b, 0x10: c, 2026-01-01: d}",
        {"1": "x", "true": "b", "16": "c", "2026-01-01": "d"},
    ),
    "a key that is a boolean": ("a: {y: [b], off: [c]}", {"true": ["b"], "false": ["c"]}),
    "numbers": ("a: [1, -2, 1.5, 0x10]", [1, -2, 1.5, 16]),
    "booleans and nothing": ("a: [true, no, ~]", [True, False, None]),
    "aliases": ("a: {x: &b [1], z: *b}", {"x": [1], "z": [1]}),
    "merge keys give way to own ones": ("a: {<<: {x: 1, z: 1}, z: 2}", {"x": 1, "z": 2}),
    "JSON indented by tabs": ('{\n\t"a": [1,\n\t\t2]\n}', [1, 2]),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_are_those_that_the_api_server_would_receive(case: str) -> None:
    text, wanted = VALUES[case]
    assert read(text)[0].body["a"] == wanted


FAULTS = {
    "a number that JSON does not have": (
        "a: 1\nb: .inf\n",
        2,
        '".inf" is a number that JSON does not have; write it in quotes',
    ),
    "nothing as key": ("a: 1\n~: 2\n", 2, '"~" cannot be a key; write it in quotes'),
    "a text as number": ("a: !!int x", 1, '"x" is not int'),
    "a list as key": ("a: 1\n? [x]\n: 2\n", 2, "a key must be a string"),
    "an alias in itself": ("a: &x\n  b: *x\n", 1, "an alias contains itself"),
    "too deep": ("a: " + "[" * 300 + "]" * 300, 1, "nested too deeply"),
    "a bomb": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"{c}: &{c} [{f'*{p},' * 10}]\n" for p, c in pairwise("abcdefgh")),
        1,
        "aliases make the document too large",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_an_invalid_document_is_a_fault_and_the_next_one_is_read(case: str) -> None:
    text, line, wanted = FAULTS[case]
    fault, after = documents(f"{text}\n---\nkind: Next\n")
    assert isinstance(fault, YamlFault)
    assert fault.message == wanted
    assert fault.place.line >= line
    assert isinstance(after, Document)


def test_a_key_that_is_set_twice_is_a_fault_and_the_last_value_counts() -> None:
    found = read("a: 1\nb:\n  c: 1\n  yes: 2\n  c: 3\n  true: 4\n")[0]
    assert found.body == {"a": 1, "b": {"c": 3, "true": 4}}
    said = [(fault.message, fault.place.line) for fault in found.faults]
    assert said == [('key "c" is set twice (first on line 3)', 5), ('key "true" is set twice (first on line 4)', 6)]
    assert found.place("b.c").line == 5


SYNTAX = {
    "a tab": ("a:\n\tb: 1\n", 2),
    "an open bracket": ("a: [1, 2\nb: 3\n", 2),
    "a character that YAML forbids": ("a: \x00", 1),
    "an unknown alias": ("a: *nope", 1),
}


@pytest.mark.parametrize("case", SYNTAX)
def test_a_syntax_error_ends_the_parsing(case: str) -> None:
    text, line = SYNTAX[case]
    with pytest.raises(YamlFault) as caught:
        list(documents(f"kind: First\n---\n{text}"))
    assert caught.value.place.line in (line + 2, 1)
