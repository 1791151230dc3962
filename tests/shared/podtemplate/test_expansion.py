"""Data passes unchanged through the fields that Kubernetes expands; what the author of a template wrote still works."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.podtemplate import expansion
from shared.substitution import substitute
from tests.shared.podtemplate.kubelet import expand

SECRETS = {"TOKEN": "s3cret", "A": "$(TOKEN)", "": "empty", "a$b": "odd"}
DATA = st.text(alphabet="$()AB TOKEN{}`\\x", max_size=12) | st.text(max_size=8)
LITERAL = st.sampled_from(["", "x", "$", "$$", "$(TOKEN)", "$(NONE)", "a$b", ")", "$$(TOKEN)", " ", "$(TOKEN) "])


def in_args(text: Any) -> dict[str, Any]:
    return {"tasks": [{"template": {"spec": {"containers": [{"args": [text]}]}}}]}


def args_of(spec: dict[str, Any]) -> str:
    return str(spec["tasks"][0]["template"]["spec"]["containers"][0]["args"][0])


@given(st.lists(st.tuples(LITERAL, DATA), min_size=1, max_size=4), LITERAL)
def test_a_container_gets_every_inserted_text_as_it_was(parts: list[tuple[str, str]], tail: str) -> None:
    # A literal that ends in a `$` would escape the placeholder behind it, which is then no placeholder.
    parts = [
        (literal.rstrip("$") if literal.count("$") % 2 and literal.endswith("$") else literal, data)
        for literal, data in parts
    ]
    template = "".join(f"{literal}$(params.p{number})" for number, (literal, _) in enumerate(parts)) + tail
    data = {f"p{number}": text for number, (_, text) in enumerate(parts)}
    marked = substitute(template, lambda reference: expansion.as_data(data[reference.key])).value
    made = args_of(expansion.resolve(in_args(marked), expansion.JOB_SPEC))
    wanted = "".join(expand(literal, SECRETS) + text for literal, text in parts) + expand(tail, SECRETS)
    assert expand(made, SECRETS) == wanted.translate({0xDC00: "\ufffd", 0xDC01: "\ufffd"})


@given(DATA)
def test_a_field_that_kubernetes_does_not_expand_gets_the_text_as_it_is(text: str) -> None:
    spec = {"tasks": [{"template": {"metadata": {"annotations": {"a": expansion.as_data(text)}}}}]}
    assert expansion.resolve(spec, expansion.JOB_SPEC) == expansion.without_marks(spec)
    assert expansion.without_marks(expansion.as_data(text)) == text


def container(**fields: Any) -> dict[str, Any]:
    return fields


EXPANDED = {
    "command": container(command=["D"]),
    "args": container(args=["x", "D"]),
    "the value of a variable": container(env=[{"name": "A", "value": "D"}]),
    "subPathExpr": container(volumeMounts=[{"name": "v", "subPathExpr": "D"}]),
    "the command of a liveness probe": container(livenessProbe={"exec": {"command": ["D"]}}),
    "the command of a readiness probe": container(readinessProbe={"exec": {"command": ["D"]}}),
    "the command of a startup probe": container(startupProbe={"exec": {"command": ["D"]}}),
}
NOT_EXPANDED = {
    "image": container(image="D"),
    "workingDir": container(workingDir="D"),
    "subPath": container(volumeMounts=[{"name": "v", "subPath": "D"}]),
    "a lifecycle hook": container(lifecycle={"preStop": {"exec": {"command": ["D"]}}}),
    "the path of a probe": container(livenessProbe={"httpGet": {"path": "D"}}),
    "the name of a variable": container(env=[{"name": "D"}]),
    "a key of a Secret": container(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "D", "key": "D"}}}]),
}


def filled(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {key: filled(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, text) for item in value]
    return text if value == "D" else value


@pytest.mark.parametrize("kind", ["containers", "initContainers"])
@pytest.mark.parametrize("case", [*EXPANDED, *NOT_EXPANDED])
def test_dollar_signs_are_escaped_in_exactly_the_fields_that_kubernetes_expands(kind: str, case: str) -> None:
    body = (EXPANDED | NOT_EXPANDED)[case]
    given_ = {"tasks": [{"template": {"spec": {kind: [filled(body, expansion.as_data("p$$a$(TOKEN)"))]}}}]}
    wanted = "p$$$$a$$(TOKEN)" if case in EXPANDED else "p$$a$(TOKEN)"
    assert expansion.resolve(given_, expansion.JOB_SPEC) == {
        "tasks": [{"template": {"spec": {kind: [filled(body, wanted)]}}}]
    }


OPEN = ["$(TOK$(params.p))", "$(params.$(params.p))", "$( $(params.p)", "a $(date -d $(params.p))", "$$$(X$(params.p)"]
CLOSED = ["$(TOKEN)$(params.p)", "$$(TOK$(params.p))", "$(a b) $(params.p)", "$(params.p)$(", "${A}$(params.p)"]


@pytest.mark.parametrize("text", [*OPEN, *CLOSED])
def test_a_placeholder_inside_an_open_reference_is_found(text: str) -> None:
    found = list(expansion.open_placeholders(in_args(text), expansion.JOB_SPEC, "spec"))
    path = "spec.tasks[0].template.spec.containers[0].args[0]"
    assert found == ([(path, text)] if text in OPEN else [])
    marked = substitute(text, lambda _: expansion.as_data("EN")).value
    if text in OPEN:
        with pytest.raises(expansion.OpenReferenceError):
            expansion.resolve(in_args(marked), expansion.JOB_SPEC, "spec")
    else:
        expansion.resolve(in_args(marked), expansion.JOB_SPEC, "spec")


def test_an_inserted_value_is_checked_at_its_target_path() -> None:
    whole = expansion.at_pointer(
        "/tasks/0/template/spec/containers/-", {"args": ["$(A$(item))"], "image": "$(A$(item))"}
    )
    assert [path for path, _ in expansion.open_placeholders(whole, expansion.JOB_SPEC)] == [
        "tasks[0].template.spec.containers[0].args[0]"
    ]
