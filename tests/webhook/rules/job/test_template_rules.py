"""Rules of JobTemplates: those of Jobs, but placeholders are allowed where a format is required."""

from shared.podtemplate.expansion import OPEN_REFERENCE
from tests.webhook.make import faults, flow, job, known, pod_template, step, task, template, verdict


def test_a_template_is_validated_like_a_job() -> None:
    assert faults(template(task(minAvailable=3))) == [
        "spec.tasks[0].minAvailable: Invalid value: 3: 'minAvailable' is greater than 'replicas' (2) in task w"
    ]


def test_a_template_may_hold_placeholders() -> None:
    holes = pod_template(containers=[{"name": "main", "image": "$(params.image)", "args": ["$(item)"]}])
    assert (
        faults(
            template(
                task("w", template=holes),
                queue="$(params.queue)",
                priorityClassName="$(params.class)",
                volumes=[{"mountPath": "$(params.path):", "volumeClaimName": "$(params.claim)"}],
                plugins={"svc": ["--publish-not-ready-addresses=$(params.early)"]},
                policies=[{"event": "PodFailed", "action": "$(params.action)", "timeout": "$(params.wait)"}],
                runningEstimate="$(params.estimate)",
            )
        )
        == []
    )


def test_an_unknown_reference_in_a_template_is_warned_about() -> None:
    arguments = ["$(flow.nmae)", "$(params.any)", "$(KUBERNETES_OWN)", "$(item.key)"]
    containers = [{"name": "main", "image": "busybox", "args": arguments}]
    found = verdict(template(task(template=pod_template(containers=containers))))
    assert (found.violations, found.warnings) == (
        (),
        (
            "spec.tasks[0].template.spec.containers[0].args[0]: $(flow.nmae) is not a known reference and is not replaced",
        ),
    )


def test_a_template_has_no_placeholder_inside_a_variable_of_kubernetes() -> None:
    containers = [{"name": "main", "image": "busybox", "args": ["$(TOK$(params.p))", "$$(TOK$(params.p))"]}]
    assert faults(template(task(template=pod_template(containers=containers)))) == [
        f'spec.tasks[0].template.spec.containers[0].args[0]: Invalid value: "$(TOK$(params.p))": {OPEN_REFERENCE}'
    ]
    assert faults(job(task(template=pod_template(containers=containers)))) == []


def test_a_template_needs_no_queue() -> None:
    assert faults(template(queue="not-there-yet")) == []


def test_deleting_a_template_in_use_is_allowed_with_a_warning() -> None:
    using = flow(step("x", template="a"), name="using")
    ended = flow(step("a"), name="ended") | {"status": {"state": {"phase": "Succeed"}}}
    other = flow(step("b"), name="other")
    found = verdict(None, template(name="a"), known(using, ended, other), "DELETE")
    assert found.allowed
    assert found.warnings == ("unfinished JobFlows use this JobTemplate and will wait for it: using",)


def test_deleting_an_unused_template_gives_no_warning() -> None:
    assert verdict(None, template(name="a"), known(), "DELETE").warnings == ()
