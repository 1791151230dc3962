"""`jobflow lint` beyond the verdicts of the webhook: lines, unknown fields, kinds, files, formats, policies."""

import io
from pathlib import Path

import pytest

from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from tests.cli.make import CliCommand, lines, write
from tests.webhook.make import body, flow, job, queue, step, template

FIELDS: dict[str, tuple[Body, list[str]]] = {
    "a slip in a step": (
        flow({"name": "a", "dependOn": {"targets": []}}),
        ['spec.flows[0].dependOn: Unknown field; did you mean "dependsOn"?'],
    ),
    "a slip in the spec": (
        flow(step("a"), paralelism=1),
        ['spec.paralelism: Unknown field; did you mean "parallelism"?'],
    ),
    "a field of another kind": (
        job(
            jobRetainPolicy="delete",
            tasks=[{"name": "w", "replicas": 1, "image": "x", "template": job()["spec"]["tasks"][0]["template"]}],
        ),
        [
            "spec.jobRetainPolicy: Unknown field",
            "spec.tasks[0].image: Unknown field",
        ],
    ),
    "metadata": (
        {**flow(step("a")), "metadata": {"name": "f", "label": {}}},
        ['metadata.label: Unknown field; did you mean "labels"?'],
    ),
    "maps are free": (
        job(
            plugins={"env": []}, tasks=[{"name": "w", "replicas": 1, "template": job()["spec"]["tasks"][0]["template"]}]
        ),
        [],
    ),
    "a field of a container that no pod has": (
        job(
            tasks=[
                {
                    "name": "w",
                    "replicas": 1,
                    "template": {"spec": {"containers": [{"name": "c", "image": "i", "comand": []}]}},
                }
            ]
        ),
        ['spec.tasks[0].template.spec.containers[0].comand: Unknown field; did you mean "command"?'],
    ),
    "a patch is a JobSpec": (
        flow(step("a", patch={"jobSpec": {"queues": "x"}})),
        ['spec.flows[0].patch.jobSpec.queues: Unknown field; did you mean "queue"?'],
    ),
}


@pytest.mark.parametrize("case", FIELDS)
def test_unknown_fields_are_errors_with_a_hint(case: str, command: CliCommand, tmp_path: Path) -> None:
    manifest, wanted = FIELDS[case]
    ran = command("lint", "-o", "json", write(tmp_path / "x.yaml", manifest))
    found = [each["text"] for each in ran.json["findings"] if each["source"] == "fields"]
    assert len(found) == len(wanted)
    assert all(text.startswith(want) for text, want in zip(sorted(found), sorted(wanted), strict=True))
    assert ran.code == (1 if wanted else 0)
    assert not [each for each in ran.json["findings"] if "unknown field" in each["text"]]


TYPES = {
    "a kind in small letters": ("flow.volcano.sh/v1alpha1", "Jobflow", 'did you mean "JobFlow"?'),
    "an old version": ("flow.volcano.sh/v1", "JobFlow", 'did you mean apiVersion "flow.volcano.sh/v1alpha1"?'),
    "a group of another kind": (
        "batch.volcano.sh/v1alpha1",
        "JobFlow",
        'did you mean apiVersion "flow.volcano.sh/v1alpha1"?',
    ),
    "a group that nobody has": ("flow.volcano.io/v1alpha1", "JobFlow", 'did you mean "flow.volcano.sh/v1alpha1"?'),
    "no kind": ("v1", "", "kind: Required value"),
}


@pytest.mark.parametrize("case", TYPES)
def test_a_mistyped_kind_is_found(case: str, command: CliCommand, tmp_path: Path) -> None:
    version, kind, wanted = TYPES[case]
    manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}
    ran = command("lint", write(tmp_path / "x.yaml", manifest))
    assert ran.code == 1
    assert wanted in ran.out


def test_a_batch_job_of_kubernetes_is_skipped(command: CliCommand, tmp_path: Path) -> None:
    manifests = ({"apiVersion": "batch/v1", "kind": "Job"}, {"apiVersion": "v1", "kind": "ConfigMap"}, flow(step("a")))
    ran = command("lint", write(tmp_path / "x.yaml", *manifests))
    assert (ran.code, lines(ran.out)) == (0, ["1 object checked: no faults (2 of other kinds skipped)"])


def test_lines_files_and_objects_are_named(command: CliCommand, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "apiVersion: flow.volcano.sh/v1alpha1\nkind: JobFlow\nmetadata: {name: f}\n"
        "spec:\n  flows:\n    - name: a\n    - name: b\n      dependsOn: {targets: [aa]}\n---\nkind: x\nkind: z\n---\na: [\n"
    )
    ran = command("lint", str(bad))
    assert ran.code == 1
    assert lines(ran.out) == [
        f"{bad}  JobFlow f",
        '  8:29  error   spec.flows[1].dependsOn.targets[0]: Invalid value: "aa": no step named "aa"; did you mean "a"?',
        "",
        f"{bad}",
        '  11:1  error   key "kind" is set twice (first on line 10)',
        "",
        f"{bad}  z",
        "  10:1  error   apiVersion: Required value",
        "",
        f"{bad}",
        "  14:1  error   did not find expected node content",
        "",
        "2 objects checked: 4 errors, 0 warnings",
    ]


NULLS = """\
apiVersion: flow.volcano.sh/v1alpha1
kind: JobFlow
metadata: {name: f}
spec:
  params:
  finally: null
  flows:
    - {name: a, if: null, dependsOn: {targets: null}, outputs: null, retry: {backoff: null}}
    - {name: b, for: {items: [x, null]}, patch: {jsonPatch: [{op: add, path: /queue, value: null}]}}
"""


def test_nulls_that_the_api_server_drops_are_absent_and_others_are_faults(command: CliCommand, tmp_path: Path) -> None:
    (tmp_path / "nulls.yaml").write_text(NULLS)
    ran = command("lint", "-o", "json", str(tmp_path / "nulls.yaml"))
    found = [(each["path"], each["line"]) for each in ran.json["findings"]]
    assert found == [("spec.flows[1].for.items[1]", 9), ("spec.flows[1].patch.jsonPatch[0].value", 9)]


def test_labels_and_annotations_that_are_no_text_are_faults(command: CliCommand, tmp_path: Path) -> None:
    (tmp_path / "labels.yaml").write_text(
        "apiVersion: flow.volcano.sh/v1alpha1\nkind: JobFlow\nmetadata:\n  name: f\n"
        "  labels: {y: n, z: ~}\n  annotations: {a: 1}\nspec: {flows: [{name: a}]}\n"
    )
    ran = command("lint", "-o", "json", str(tmp_path / "labels.yaml"))
    assert [(each["text"], each["line"]) for each in ran.json["findings"]] == [
        ("metadata.labels[true]: Invalid value: false: must be of type string; write the value in quotes", 5),
        ("metadata.annotations[a]: Invalid value: 1: must be of type string; write the value in quotes", 6),
    ]


def test_schema_faults_and_rule_violations_are_reported_together(command: CliCommand, tmp_path: Path) -> None:
    manifest = flow(step("a"), step("b", "aa"), jobRetainPolicy="keep", parallelism="two")
    ran = command("lint", "-o", "json", write(tmp_path / "x.yaml", manifest))
    assert [(each["path"], each["source"]) for each in ran.json["findings"]] == [
        ("spec.flows[1].dependsOn.targets[0]", "webhook"),
        ("spec.jobRetainPolicy", "schema"),
        ("spec.parallelism", "schema"),
    ]


def test_rules_see_the_other_objects_of_the_files(command: CliCommand, tmp_path: Path) -> None:
    """A queue that is closed to Jobs, and a template whose pods' names get too long."""
    write(tmp_path / "queues.yaml", queue("root-of-all"), queue("leaf", parent="root-of-all"))
    write(tmp_path / "jobs.yaml", job(queue="root-of-all"), job(name="other", queue="elsewhere"))
    ran = command("lint", str(tmp_path))
    assert ran.code == 1
    assert "can only submit job to leaf queue, queue `root-of-all` has 1 child queues" in ran.out
    assert "elsewhere" not in ran.out, "what is not in the files may be in the cluster"


def test_the_items_of_a_list_are_checked(command: CliCommand, tmp_path: Path) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [template(), flow(step("a", "nope"))]}
    ran = command("lint", "-o", "json", write(tmp_path / "x.yaml", listed))
    (found,) = ran.json["findings"]
    assert (ran.json["checked"], found["kind"], found["path"]) == (2, "JobFlow", "spec.flows[0].dependsOn.targets[0]")
    assert found["line"] > 10


def test_items_of_a_typed_list_need_no_type(command: CliCommand, tmp_path: Path) -> None:
    items = [{"metadata": {"name": "f"}, "spec": {"flows": [{"name": "a", "dependsOn": {"targets": ["b"]}}]}}]
    body = {"apiVersion": "flow.volcano.sh/v1alpha1", "kind": "JobFlowList", "items": items}
    ran = command("lint", write(tmp_path / "list.yaml", body), "-o", "json")
    assert [(each["kind"], each["path"]) for each in ran.json["findings"]] == [
        ("JobFlow", "spec.flows[0].dependsOn.targets[0]")
    ]


def test_two_objects_of_one_name_are_warned_about(command: CliCommand, tmp_path: Path) -> None:
    elsewhere = flow(step("a"))
    elsewhere["metadata"]["namespace"] = "other"
    ran = command("lint", write(tmp_path / "f.yaml", flow(step("a")), elsewhere, flow(step("b"))))
    assert ran.code == 0
    assert ran.out.count('JobFlow "f" is also defined at ') == 1


FAULTY_SCHEDULES: dict[str, tuple[Kind, Body, str]] = {
    "CronJob": (
        kinds.CRONJOB,
        {"schedule": "61 * * * *", "jobTemplate": {"spec": job()["spec"]}},
        "spec.schedule: ",
    ),
    "CronJobFlow": (
        kinds.CRONJOBFLOW,
        {"schedules": ["61 * * * *"], "template": {"name": "t"}},
        "spec.schedules[0]: ",
    ),
    "CronJobFlowBackfill": (
        kinds.CRONJOBFLOWBACKFILL,
        {"cronJobFlow": "c", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        "spec.to: Invalid value: ",
    ),
    "JobFlowTemplate": (
        kinds.JOBFLOWTEMPLATE,
        {"flow": {"flows": [step("a"), step("a")]}},
        "spec.flow.flows[1].name: ",
    ),
}


@pytest.mark.parametrize("case", FAULTY_SCHEDULES)
def test_schedules_are_judged_by_the_rules_of_the_webhook(case: str, command: CliCommand, tmp_path: Path) -> None:
    kind, spec, said = FAULTY_SCHEDULES[case]
    ran = command("lint", "-o", "json", write(tmp_path / "c.yaml", body(kind, "c", spec)))
    assert ran.code == 1
    assert [each["text"].startswith(said) for each in ran.json["findings"]] == [True]
    assert ran.json["findings"][0]["source"] == "webhook"


def test_a_cron_job_of_kubernetes_itself_is_skipped(command: CliCommand, tmp_path: Path) -> None:
    cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"}}
    assert command("lint", write(tmp_path / "c.yaml", cron)).code == 0


def test_a_binary_file_in_a_folder_does_not_prevent_checks_of_other_files(command: CliCommand, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe")
    write(tmp_path / "b.yaml", flow(step("a")))
    ran = command("lint", str(tmp_path))
    assert (ran.code, "not UTF-8" in ran.out, "1 object checked" in ran.out) == (1, True, True)


def test_stdin_is_checked_as_a_file(command: CliCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    text = b'\xef\xbb\xbf{"apiVersion": "flow.volcano.sh/v1alpha1", "kind": "JobFlow", "metadata": {"name": "f"}, "spec": {}}'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    ran = command("lint", "-")
    assert ran.code == 1
    assert lines(ran.out)[:2] == [
        "stdin  JobFlow f",
        "  1:90  error   spec.flows: Required value: a JobFlow needs at least one step",
    ]


UNREADABLE = {
    "no such file": ("nope.yaml", None, "nope.yaml: no such file or folder"),
    "a folder without manifests": (".", None, "contains no file that ends in .yaml, .yml, .json"),
    "not UTF-8": ("x.yaml", b"a: \xff", "x.yaml: not UTF-8 (byte 3)"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_files_that_cannot_be_read_are_usage_errors(case: str, command: CliCommand, tmp_path: Path) -> None:
    name, content, wanted = UNREADABLE[case]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ran = command("lint", str(tmp_path / name))
    assert (ran.code, ran.out) == (2, "")
    assert wanted in ran.err


def policy(**spec: object) -> Body:
    return body(kinds.JOBFLOWPOLICY, "company", dict(spec))


def test_the_files_are_checked_against_policies(command: CliCommand, tmp_path: Path) -> None:
    rules = write(tmp_path / "policy.yaml", policy(allowed={"images": ["registry.corp/*"]}))
    manifest = write(tmp_path / "job.yaml", job())
    assert command("lint", manifest).code == 0
    ran = command("lint", manifest, "--policy", rules)
    assert ran.code == 1
    assert 'not allowed; allowed: registry.corp/* (policy "company", allowed.images)' in ran.out


def test_a_policy_that_warns_does_not_fail(command: CliCommand, tmp_path: Path) -> None:
    rules = write(tmp_path / "policy.yaml", policy(mode="Warn", limits={"maxReplicas": 1}))
    ran = command("lint", write(tmp_path / "job.yaml", job()), "--policy", rules)
    assert ran.code == 0
    assert 'pods in total, a Job may have at most 1 (policy "company", limits.maxReplicas)' in ran.out


LONG = ["registry.example.com/" + "x" * 60 + "/*", "registry.example.org/" + "y" * 60 + "/*"]


def test_a_warning_of_a_policy_is_printed_in_full_with_its_line(command: CliCommand, tmp_path: Path) -> None:
    rules = write(tmp_path / "policy.yaml", policy(mode="Warn", allowed={"images": LONG}))
    name = write(tmp_path / "job.yaml", job())
    ran = command("lint", "-o", "json", name, "--policy", rules)
    (warning,) = (each for each in ran.json["findings"] if each["severity"] == "warning")
    assert warning["message"].endswith(f'allowed: {LONG[0]}, {LONG[1]} (policy "company", allowed.images)')
    line = Path(name).read_text().splitlines()[warning["line"] - 1]
    assert line[warning["column"] - 1 :].startswith(('"image"', '"busybox"'))


SELECTING = policy(match={"namespaceSelector": {"matchLabels": {"env": "prod"}}}, limits={"maxReplicas": 0})
READING = policy(
    rules=[
        {"name": "user", "expression": "request.userInfo.username == 'ann'"},
        {"name": "env", "expression": "namespaceObject.metadata.labels.env == 'prod'"},
        {"name": "queue", "expression": "object.spec.queue != ''"},
    ]
)


def test_a_policy_that_needs_a_cluster_is_reported_as_not_judged(command: CliCommand, tmp_path: Path) -> None:
    rules = write(tmp_path / "policy.yaml", SELECTING, {**READING, "metadata": {"name": "reading"}})
    manifest = write(tmp_path / "job.yaml", job())
    ran = command("lint", manifest, "--policy", rules)
    needs = "(needs the labels of namespace ns1; give the Namespace or --namespace-labels)"
    assert ran.code == 0
    assert lines(ran.out)[-4:] == [
        f"not judged: policy company {needs}",
        "not judged: rule user of policy reading (needs the request and its user)",
        f"not judged: rule env of policy reading {needs}",
        "1 object checked: no faults (3 policy checks not judged)",
    ]
    assert len(command("lint", "-o", "json", manifest, "--policy", rules).json["notJudged"]) == 3


def test_policies_use_the_given_labels_of_namespaces(command: CliCommand, tmp_path: Path) -> None:
    rules = write(tmp_path / "policy.yaml", SELECTING)
    manifest = write(tmp_path / "job.yaml", job())
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns1", "labels": {"env": "prod"}}}
    assert command("lint", manifest, "--policy", rules, "--namespace-labels", "env=prod").code == 1
    assert command("lint", manifest, "--policy", rules, "--namespace-labels", "env=test").code == 0
    assert command("lint", manifest, "--policy", rules, "--namespace-labels", "").code == 0
    assert command("lint", manifest, write(tmp_path / "ns.yaml", space), "--policy", rules).code == 1
    wrong = command("lint", manifest, "--policy", rules, "--namespace-labels", "env")
    assert (wrong.code, "is not a list such as" in wrong.err) == (2, True)


def test_an_invalid_policy_is_a_usage_error(command: CliCommand, tmp_path: Path) -> None:
    rules = write(tmp_path / "policy.yaml", policy(rules=[{"name": "r", "expression": "object.x +"}]))
    ran = command("lint", write(tmp_path / "job.yaml", job()), "--policy", rules)
    assert ran.code == 2
    assert "the policy is invalid: spec.rules[0].expression" in ran.err


def test_sarif_names_file_line_and_rule(command: CliCommand, tmp_path: Path) -> None:
    name = write(tmp_path / "x.yaml", flow({"name": "a", "dependOn": {}}, step("b", "c")))
    ran = command("lint", "-o", "sarif", name)
    (run,) = ran.json["runs"]
    assert ran.json["version"] == "2.1.0"
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {each["ruleId"] for each in run["results"]} == {"unknown-field", "admission"}
    assert {each["ruleId"] for each in run["results"]} <= known
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == name
        assert place["region"]["startLine"] > 1
