"""The generated CRDs are structural, small enough, and complete for Volcano's manifests, with Volcano's names."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from shared.crd.__main__ import main, render, stale
from shared.crd.definitions import DEFINITIONS, Definition, crd
from shared.crd.schema import DEFAULTS, Mode, job_spec_schema
from tests.shared.crd.manifests import JOB, JOB_FLOW, JOB_SPEC, MANIFESTS

BY_KIND = {definition.kind.kind: definition for definition in DEFINITIONS}
EVERY_KIND = pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind.kind)
KNOWN = {
    "type", "description", "properties", "required", "items", "additionalProperties", "enum", "format", "pattern",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "nullable", "default", "anyOf",
    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string", "x-kubernetes-map-type",
    "x-kubernetes-validations",
}  # fmt: skip
INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]


def schema_of(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = crd(BY_KIND[kind])["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def every_schema(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from every_schema(field, f"{path}.{name}")
    if "items" in schema:
        yield from every_schema(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from every_schema(schema["additionalProperties"], f"{path}{{}}")


def at(schema: dict[str, Any], path: str) -> dict[str, Any]:
    return dict(every_schema(schema))[path]


def without_nulls(value: Any) -> Any:
    """The manifest as the API server stores it: without nulls in fields that are not nullable."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def pruned(value: Any, schema: dict[str, Any]) -> Any:
    """Prunes like the API server: removes unknown fields unless the schema preserves them."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return value
    if isinstance(value, list):
        return [pruned(item, schema["items"]) for item in value]
    if not isinstance(value, dict) or schema.get("type") != "object":
        return value
    extra = schema.get("additionalProperties")
    fields = schema.get("properties", {})
    return {
        key: pruned(item, fields.get(key, extra)) for key, item in value.items() if key in fields or extra is not None
    }


@EVERY_KIND
def test_every_schema_is_structural(definition: Definition) -> None:
    for path, schema in every_schema(schema_of(definition.kind.kind)):
        assert set(schema) <= KNOWN, path
        if schema.get("x-kubernetes-int-or-string"):
            assert schema["anyOf"] == INT_OR_STRING, path
            continue
        assert "anyOf" not in schema, path
        assert "type" in schema or schema.get("x-kubernetes-preserve-unknown-fields"), path
        assert schema.get("format") in (None, "int32", "int64", "date-time"), path
        assert not ("properties" in schema and "additionalProperties" in schema), path
        assert all(name in schema.get("properties", {}) for name in schema.get("required", ())), path


@EVERY_KIND
def test_every_crd_fits_into_the_last_applied_annotation(definition: Definition) -> None:
    assert len(json.dumps(crd(definition), separators=(",", ":"))) < 256 * 1024


@EVERY_KIND
def test_every_spec_field_of_ours_is_described(definition: Definition) -> None:
    assert all(column.path.startswith(".") for column in definition.columns)
    assert schema_of(definition.kind.kind)["description"]


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_full_volcano_manifest_is_neither_refused_nor_pruned(kind: str) -> None:
    body = without_nulls(MANIFESTS[kind])
    schema = {**schema_of(kind)}
    schema["properties"] = {**schema["properties"], "metadata": {"type": "object"}}
    jsonschema.Draft202012Validator(schema).validate(body)
    kept = pruned(body, schema)
    assert {**kept, "metadata": body["metadata"]} == body


def test_a_field_that_is_unknown_is_pruned() -> None:
    body = copy.deepcopy(JOB)
    body["spec"]["minAvailble"] = 1
    assert "minAvailble" not in pruned(body, schema_of("Job"))["spec"]


def test_names_scopes_and_status_subresources_equal_those_of_volcano() -> None:
    found = {
        definition.kind.kind: (
            crd(definition)["metadata"]["name"],
            crd(definition)["spec"]["names"].get("shortNames", []),
            crd(definition)["spec"]["scope"],
            "subresources" in crd(definition)["spec"]["versions"][0],
        )
        for definition in DEFINITIONS
    }
    assert found == {
        "JobFlow": ("jobflows.flow.volcano.sh", ["jf"], "Namespaced", True),
        "JobTemplate": ("jobtemplates.flow.volcano.sh", ["jt"], "Namespaced", True),
        "Job": ("jobs.batch.volcano.sh", ["vcjob", "vj"], "Namespaced", True),
        "JobFlowTemplate": ("jobflowtemplates.flow.jobflow.dev", ["jft"], "Namespaced", True),
        "CronJobFlowBackfill": ("cronjobflowbackfills.flow.jobflow.dev", ["cjfb"], "Namespaced", True),
        "CronJobFlow": ("cronjobflows.flow.jobflow.dev", ["cjf"], "Namespaced", True),
        "CronJob": ("cronjobs.batch.volcano.sh", ["cronvcjob", "cronvj"], "Namespaced", True),
        "PodGroup": ("podgroups.scheduling.volcano.sh", ["pg", "podgroup-v1beta1"], "Namespaced", False),
        "Queue": ("queues.scheduling.volcano.sh", ["q", "queue-v1beta1"], "Cluster", True),
        "Command": ("commands.bus.volcano.sh", [], "Namespaced", False),
        "JobFlowPolicyException": ("jobflowpolicyexceptions.policy.jobflow.dev", ["jfpe"], "Namespaced", True),
        "JobFlowPolicy": ("jobflowpolicies.policy.jobflow.dev", ["jfp"], "Cluster", True),
    }


def test_only_the_spec_of_an_exception_is_immutable() -> None:
    found = {
        (kind, path)
        for kind in BY_KIND
        for path, schema in every_schema(schema_of(kind))
        if any("oldSelf" in each["rule"] for each in schema.get("x-kubernetes-validations", ()))
    }
    assert found == {("JobFlowPolicyException", ".spec")}


@pytest.mark.parametrize(
    ("kind", "columns"),
    {
        "Job": ["STATUS", "minAvailable", "RUNNINGS", "AGE", "QUEUE*"],
        "PodGroup": ["STATUS", "minMember", "RUNNINGS", "AGE", "QUEUE*"],
        "Queue": ["PARENT", "STATE"],
        "JobFlow": ["STATUS", "PROGRESS", "RUNNING", "FAILED", "AGE", "NEXT*", "REASON*", "DURATION*"],
    }.items(),
)
def test_printer_columns_where_a_star_is_wide_only(kind: str, columns: list[str]) -> None:
    found = crd(BY_KIND[kind])["spec"]["versions"][0]["additionalPrinterColumns"]
    assert [column["name"] + "*" * column.get("priority", 0) for column in found] == columns


def test_a_patch_has_no_default_requirement_or_pattern_at_any_depth() -> None:
    patch = at(schema_of("JobFlow"), ".spec.flows[].patch.jobSpec")
    assert set(patch["properties"]) == set(JOB_SPEC)
    for path, schema in every_schema(patch):
        assert not {"default", "required", "pattern", "x-kubernetes-list-type"} & set(schema), path


def test_a_patch_of_one_field_is_accepted() -> None:
    jsonschema.Draft202012Validator(job_spec_schema(Mode.PATCH)).validate({"volumes": [{"volumeClaimName": "x"}]})


@pytest.mark.parametrize("field", [".queue", ".maxRetry"])
def test_fields_that_policies_can_default_have_no_schema_default(field: str) -> None:
    assert "default" not in at(schema_of("Job"), f".spec{field}")
    assert "default" not in at(schema_of("JobTemplate"), f".spec{field}")


def test_a_template_may_contain_placeholders_in_fields_with_patterns() -> None:
    spec = {**JOB_SPEC, "queue": "$(params.queue)"}
    jsonschema.Draft202012Validator(job_spec_schema(Mode.TEMPLATE)).validate(spec)
    with pytest.raises(jsonschema.ValidationError, match="does not match"):
        jsonschema.Draft202012Validator(job_spec_schema(Mode.STRICT)).validate(spec)


def test_every_default_of_the_table_is_used_somewhere() -> None:
    used = {
        (path.rpartition(".")[2], schema["default"])
        for definition in DEFINITIONS
        for path, schema in every_schema(schema_of(definition.kind.kind))
        if "default" in schema
    }
    assert used == {(name, value) for (_, name), value in DEFAULTS.items()}


def test_pod_templates_and_loop_items_are_kept_whole() -> None:
    flow = copy.deepcopy(JOB_FLOW)
    flow["spec"]["flows"][0]["for"] = {"items": ["a", {"k": "v"}]}
    flow["spec"]["flows"][0]["patch"]["jsonPatch"] = [{"op": "add", "path": "/x", "value": {"any": [1, "b"]}}]
    assert pruned(flow, schema_of("JobFlow"))["spec"] == flow["spec"]


def test_the_files_of_the_chart_are_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_the_check_names_missing_changed_and_unknown_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--folder", str(tmp_path)]
    assert main(["--check", *folder]) == 1
    assert main(folder) == 0
    assert main(["--check", *folder]) == 0
    (tmp_path / "batch.volcano.sh_jobs.yaml").write_text("changed")
    (tmp_path / "foreign.yaml").write_text("")
    assert stale(tmp_path, render()) == ["batch.volcano.sh_jobs.yaml", "foreign.yaml"]
    assert main(["--check", *folder]) == 1
    assert "foreign.yaml: run `make generate`" in capsys.readouterr().err
    assert main(folder) == 0
    assert stale(tmp_path, render()) == []


def test_the_files_are_plain_yaml_of_the_same_objects() -> None:
    texts = render()
    assert [yaml.safe_load(text) for text in texts.values()] == [crd(definition) for definition in DEFINITIONS]
    assert not any("&id" in text for text in texts.values())
