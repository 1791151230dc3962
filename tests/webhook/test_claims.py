"""The webhook writes into an object which kinds its steps may create; who sends it is compared elsewhere."""

from collections.abc import Mapping

import msgspec
import pytest

from shared import kinds
from shared.model.types import Body
from shared.names import RESOURCE_KINDS
from shared.resource_steps.allowed import parse_kinds
from tests.webhook.make import body, flow, known, review, step
from webhook.envelope.patch import applied
from webhook.envelope.review import RequestUser
from webhook.subject.lookups import Lookups
from webhook.verdict.admit import mutate
from webhook.verdict.claims import missing_sources
from webhook.verdict.kind_admission import AdmissionOptions

OPTIONS = AdmissionOptions(
    resource_kinds=parse_kinds('[{"apiVersion": "batch/v1", "kind": "Job", "resource": "jobs"}]'),
    controller_user="controller",
)
JOB = step("a", resource={"manifest": {"apiVersion": "batch/v1", "kind": "Job"}})
PLAIN = step("a")


def claim(new: Body, *existing: Body, old: Body | None = None, user: str = "jane") -> str | None:
    asked = msgspec.structs.replace(review(new, old), user_info=RequestUser(username=user))
    made = applied(new, mutate(asked, known(*existing), OPTIONS).patch)
    found: str | None = (made["metadata"].get("annotations") or {}).get(RESOURCE_KINDS)
    return found


def annotated(of: Body, text: str) -> Body:
    return of | {"metadata": of["metadata"] | {"annotations": {RESOURCE_KINDS: text}}}


def flow_template(*steps: Body, name: str = "t") -> Body:
    return body(kinds.JOBFLOWTEMPLATE, name, {"flow": flow(*steps)["spec"]})


def cron(**spec: object) -> Body:
    return body(kinds.CRONJOBFLOW, "c", {"schedules": ["0 3 * * *"], **spec})


def command(action: str, name: str = "f") -> Body:
    target = {"apiVersion": kinds.JOBFLOW.api_version, "kind": "JobFlow", "name": name, "uid": "u"}
    return body(kinds.COMMAND, "o", action=action, target=target)


USES = step("u", flow={"template": "t"})
CLAIMS: Mapping[str, tuple[Body, tuple[Body, ...], str | None]] = {
    "a flow": (flow(JOB), (), "jobs.batch"),
    "a flow without such a step": (flow(PLAIN), (), None),
    "a flow that claims more": (annotated(flow(JOB), "things.x.dev"), (), "jobs.batch,things.x.dev"),
    "a flow that uses a template": (flow(USES), (flow_template(JOB),), "jobs.batch"),
    "a flow whose template is missing": (flow(USES), (), None),
    "a template": (flow_template(JOB), (), "jobs.batch"),
    "a schedule": (cron(jobFlowTemplate={"spec": flow(JOB)["spec"]}), (), "jobs.batch"),
    "a schedule of a template": (cron(template={"name": "t"}), (flow_template(JOB),), "jobs.batch"),
    "a backfill": (
        body(kinds.CRONJOBFLOWBACKFILL, "b", {"cronJobFlow": "c", "from": "x", "to": "y"}),
        (annotated(cron(template={"name": "t"}), "jobs.batch"),),
        "jobs.batch",
    ),
    "a retry": (command("RetryJobFlow"), (annotated(flow(JOB), "jobs.batch"),), "jobs.batch"),
    "a restart": (command("RestartJobFlow"), (annotated(flow(JOB), "jobs.batch"),), "jobs.batch"),
    "a stop": (command("TerminateJobFlow"), (annotated(flow(JOB), "jobs.batch"),), None),
    "a retry of a flow without a claim": (command("RetryJobFlow"), (flow(PLAIN),), None),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_an_object_claims_what_it_asks_for(case: str) -> None:
    new, existing, wanted = CLAIMS[case]
    assert claim(new, *existing) == wanted


def test_the_controller_is_given_no_claim() -> None:
    assert claim(flow(JOB), user="controller") is None
    assert claim(flow(JOB), old=flow(PLAIN), user="controller") is None


def test_a_change_of_the_spec_claims_what_it_adds_and_another_change_nothing() -> None:
    assert claim(flow(JOB), old=flow(PLAIN)) == "jobs.batch"
    assert claim(flow(JOB), old=flow(JOB)) is None
    assert claim(annotated(flow(PLAIN), "jobs.batch"), old=annotated(flow(JOB), "jobs.batch")) == "jobs.batch"


def test_templates_that_are_not_known_yet_are_looked_for_one_level_after_the_other() -> None:
    def wanted(lookups: Lookups) -> set[str]:
        return {one.name for one in missing_sources(review(flow(USES)), lookups, OPTIONS)}

    assert wanted(known()) == {"t"}
    assert wanted(known(flow_template(step("v", flow={"template": "deeper"})))) == {"deeper"}
    assert wanted(known(flow_template(JOB))) == set()
    assert missing_sources(review(flow(USES)), known(), AdmissionOptions()) == ()
