"""Verbs on flows, on a local cluster: their output, exit code and effect."""

from pathlib import Path

import pytest
import yaml

from local.client.blocking import until
from local.cluster import LocalCluster
from shared.kinds import JOBFLOW
from tests.cli.live.make import NAMESPACE, Live, applied_policy, done, flow, policy, uses, waits
from tests.cli.make import Ran, lines, write
from tests.e2e.support.scenario import jobflow, step_of, template

pytestmark = [pytest.mark.e2e]


def test_run_watches_a_flow_until_it_succeeds(live: Live, tmp_path: Path) -> None:
    file = write(
        tmp_path / "flow.yaml", template(NAMESPACE, "own", 1), flow("first", a=uses("own"), b=uses("quick", "a"))
    )
    ran = live("run", file, "--watch")
    assert (ran.code, ran.err) == (0, "jobtemplate.flow.volcano.sh/own applied\n")
    reported = [line.partition("  ")[2] for line in lines(ran.out)[1:]]
    assert lines(ran.out)[0] == "jobflow.flow.volcano.sh/first created"
    assert (
        reported.index("step a: Completed")
        < reported.index("step b: Completed")
        < reported.index("flow first: Succeed")
    )

    shown = lines(live("status", "first").out)
    assert shown[0].startswith("people/first  Succeed  ")
    assert shown[1] == "  ✓ 2 completed"
    assert [line[:16] for line in shown[-2:]] == ["✓ a     Complete", "└─ ✓ b  Complete"]
    listed = lines(live("list").out)
    assert listed[0].split() == ["NAME", "STATUS", "PROGRESS", "RUNNING", "FAILED", "AGE"]
    assert next(line for line in listed if line.startswith("first ")).split()[1:3] == ["Succeed", "2/2"]
    assert live("list", "-o", "name").out.count("jobflow.flow.volcano.sh/first\n") == 1


def test_a_flow_that_fails_is_exit_1_and_can_be_retried(cluster: LocalCluster, live: Live, tmp_path: Path) -> None:
    file = write(tmp_path / "flow.yaml", flow("broken", a=uses("bad"), b=uses("quick", "a")))
    ran = live("run", file, "--watch")
    assert ran.code == 1
    assert "step b: Skipped  UpstreamFailed" in ran.out
    shown = live("status", "broken").out
    assert "✗ a" in shown
    assert "100.0 % failed" in shown
    before = step_of(cluster.kube.get(JOBFLOW, NAMESPACE, "broken"), "a")["attempts"]
    assert live("retry", "broken") == (0, "jobflow.flow.volcano.sh/broken: steps a, b run again\n", "")
    until(
        lambda: step_of(cluster.kube.get(JOBFLOW, NAMESPACE, "broken"), "a")["attempts"] > before,
        30,
        lambda: "no retry",
    )
    done(cluster, "broken")
    assert live("restart", "broken").code == 0
    until(
        lambda: step_of(cluster.kube.get(JOBFLOW, NAMESPACE, "broken"), "a")["attempts"] > before + 1,
        30,
        lambda: "no restart",
    )


def test_run_refuses_a_flow_with_a_field_that_the_cluster_would_drop(live: Live, tmp_path: Path) -> None:
    given = flow("dropped", a=uses("quick"))
    refused = live("run", write(tmp_path / "flow.yaml", {**given, "spec": {**given["spec"], "futureField": 1}}))
    assert refused.code == 5
    assert 'unknown field "spec.futureField"' in refused.err
    assert "the CustomResourceDefinition in this cluster lacks the field and would drop it" in refused.err


def test_run_warns_about_objects_of_a_file_that_it_does_not_apply(
    cluster: LocalCluster, live: Live, tmp_path: Path
) -> None:
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    ran = live("run", write(tmp_path / "flow.yaml", other, flow("beside", a=uses("quick"))))
    assert (ran.code, ran.err) == (0, "Warning: not applied: ConfigMap settings; apply them with kubectl\n")
    assert live("delete", "beside").code == 0


def test_suspend_resume_and_stop(cluster: LocalCluster, live: Live) -> None:
    cluster.apply(flow("long", a=uses("slow"), b=uses("quick", "a")))
    done(cluster, "long", "Running")
    assert live("suspend", "long").code == 0
    until(lambda: cluster.kube.get(JOBFLOW, NAMESPACE, "long")["spec"].get("suspend"), 30, lambda: "not suspended")
    assert live("resume", "long").code == 0
    until(lambda: not cluster.kube.get(JOBFLOW, NAMESPACE, "long")["spec"].get("suspend"), 30, lambda: "not resumed")
    shown = live("status", "long").out
    assert "waits for a" in shown
    assert live("stop", "long").code == 0
    stopped = done(cluster, "long", "Failed")
    assert step_of(stopped, "a")["phase"] == "Terminated"
    assert live("delete", "long").out == "jobflow.flow.volcano.sh/long deleted\n"
    cluster.kube.wait_gone(JOBFLOW, NAMESPACE, "long")


def test_stop_ends_finally_only_by_force(cluster: LocalCluster, live: Live) -> None:
    cluster.apply(
        jobflow(NAMESPACE, "tidied", {"a": uses("quick")}, **{"finally": [{"name": "z", "template": "slow"}]})
    )
    until(
        lambda: step_of(cluster.kube.get(JOBFLOW, NAMESPACE, "tidied"), "z").get("phase") == "Running",
        30,
        lambda: "idle",
    )
    ran = live("stop", "tidied")
    assert (ran.code, "only `finally` runs, which a stop does not end" in ran.err) == (1, True)
    retried = live("retry", "tidied")
    assert (retried.code, "once the flow has ended: the steps of `finally` run" in retried.out) == (0, True)
    assert live("stop", "tidied", "--force").out == "jobflow.flow.volcano.sh/tidied: step z is ended (finally)\n"
    until(lambda: step_of(cluster.kube.get(JOBFLOW, NAMESPACE, "tidied"), "z").get("attempts") == 2, 30, lambda: "held")
    assert live("stop", "tidied", "--force").code == 0
    assert step_of(done(cluster, "tidied"), "z")["phase"] == "Terminated"
    assert live("stop", "tidied").err.endswith("stop has no effect: the flow has ended\n")
    assert live("resume", "tidied").err.endswith("resume has no effect: the flow is not suspended\n")
    assert live("delete", "tidied").code == 0


def test_retry_from_a_step_with_new_params(cluster: LocalCluster, live: Live) -> None:
    body = flow("again", a=uses("quick"), b=uses("quick", "a", **{"if": "params.day != 'sun'"}), c=uses("quick", "b"))
    body["spec"] = {**body["spec"], "params": [{"name": "day", "value": "sun"}]}
    cluster.apply(body)
    assert step_of(done(cluster, "again", "Succeed"), "b")["phase"] == "Skipped"
    assert live("retry", "again", "--from", "x").code == 5
    assert "no such param" in live("retry", "again", "--from", "b", "-p", "days=mon").err
    ran = live("retry", "again", "--from", "b", "-p", "day=mon", "--deadline", "2h")
    assert ran == (
        0,
        "jobflow.flow.volcano.sh/again: steps b, c run again; param day has the new value; the flow may take 7200 s from now\n",
        "",
    )
    until(lambda: done(cluster, "again")["status"]["state"]["phase"] == "Succeed", 30, lambda: "not ended")
    found = done(cluster, "again", "Succeed")
    assert [step_of(found, name)["attempts"] for name in "abc"] == [1, 1, 1]
    assert found["spec"]["activeDeadlineSeconds"] == 7200
    assert live("retry", "again", "--from", "a", "--step", "b").code == 2
    assert live("retry", "again", "--deadline", "soon").code == 2
    assert live("delete", "again").code == 0


def test_approve_and_reject_answer_for_a_step_and_say_what_came_of_it(cluster: LocalCluster, live: Live) -> None:
    waits(cluster, "asks")
    own = live("approve", "asks", "ask")
    assert own.code == 5
    assert "created the flow; a JobFlowPolicy must allow to approve own flows (approvals.ownFlows)" in own.err
    cluster.apply(policy("own-flows", approvals={"ownFlows": True}))
    answers: list[Ran] = []  # the controller sees the policy a moment later

    def approved() -> bool:
        answers.append(live("approve", "asks", "ask", "-m", "looks good"))
        return answers[-1].code == 0

    until(approved, 30, lambda: str(answers))
    assert answers[-1].out == "jobflow.flow.volcano.sh/asks: step ask was approved by kubernetes-admin\n"
    answer = step_of(done(cluster, "asks", "Succeed"), "ask")["approval"]
    assert (answer["decision"], answer["message"]) == ("Approved", "looks good")
    waits(cluster, "declined")
    ran = live("approve", "declined", "ask", "--reject", "-m", "not today")
    assert (ran.code, ran.out) == (0, "jobflow.flow.volcano.sh/declined: step ask was rejected by kubernetes-admin\n")
    assert step_of(done(cluster, "declined", "Failed"), "ask")["reason"] == "Rejected"


@pytest.mark.parametrize(("step_", "words"), [("ask", "ask"), ("a", "a"), ("none", "none")])
def test_an_answer_for_a_step_that_waits_for_nobody_is_not_sent(
    step_: str, words: str, cluster: LocalCluster, live: Live
) -> None:
    cluster.apply(flow("idle", a=uses("quick"), ask={"approve": {}, "if": "false"}))
    done(cluster, "idle", "Succeed")
    ran = live("approve", "idle", step_)
    assert ran.code == 1
    assert words in ran.err
    assert "jobflow status shows what the flow waits for" in ran.err
    assert live("approve", "no-such-flow", "ask").code == 3


def test_a_resume_refused_by_a_policy_is_exit_5_and_commands_without_effect_are_noted(
    cluster: LocalCluster, live: Live
) -> None:
    cluster.apply(jobflow(NAMESPACE, "held", {"a": uses("quick"), "b": uses("quick", "a")}, suspend=True))
    with applied_policy(cluster, "no-running-flows", limits={"maxRunningFlows": 0}):
        ran = live("resume", "held")
        assert ran.code == 5
        assert "at most 0 may run at once" in ran.err
    assert live("suspend", "held") == (
        1,
        "",
        "jobflow.flow.volcano.sh/held: suspend has no effect: the flow is suspended already\n",
    )
    assert "retry has no effect: none of the flow's steps has failed" in live("retry", "held").err
    assert live("retry", "held", "--no-wait").out.startswith("jobflow.flow.volcano.sh/held: retry requested (Command")
    assert live("delete", "held").code == 0


def test_a_flow_is_run_again_under_a_new_name_with_new_params(
    cluster: LocalCluster, live: Live, tmp_path: Path
) -> None:
    body = flow("daily", a=uses("quick"))
    body["spec"] = {**body["spec"], "params": [{"name": "day", "value": "mon"}]}
    assert (
        live("run", write(tmp_path / "f.yaml", body), "-p", "day=tue", "-o", "json").json["spec"]["params"][0]["value"]
        == "tue"
    )
    refused = live("run", str(tmp_path / "f.yaml"))
    assert refused.code == 5
    assert "already exists" in refused.err
    assert "jobflow run daily" in refused.err
    again = live("run", "daily", "-p", "day=wed", "-o", "yaml")
    made = yaml.safe_load(again.out)
    assert made["metadata"]["name"].startswith("daily-")
    assert made["spec"]["params"] == [{"name": "day", "value": "wed"}]
    assert live("run", "daily", "--name", "other", "-o", "name").out == "jobflow.flow.volcano.sh/other\n"
    unknown = live("run", "daily", "-p", "dya=x")
    assert (unknown.code, unknown.err) == (2, 'jobflow: -p dya: no param named "dya"; did you mean "day"?\n')
    done(cluster, "daily")


def test_violations_of_the_webhook_are_printed_one_per_line(live: Live, tmp_path: Path) -> None:
    ran = live("run", write(tmp_path / "f.yaml", flow("wrong", a=uses("quick", "x"), b=uses("quick", "y"))))
    assert (ran.code, ran.err.splitlines()[0]) == (5, 'jobflow: JobFlow.flow.volcano.sh "wrong" is invalid:')
    assert 'spec.flows[0].dependsOn.targets[0]: Invalid value: "x": no step named "x"' in ran.err
    assert 'spec.flows[1].dependsOn.targets[0]: Invalid value: "y": no step named "y"' in ran.err


def test_logs_of_a_step(cluster: LocalCluster, live: Live) -> None:
    cluster.apply(flow("talk", a=uses("quick"), b=uses("slow", "a")))
    done(cluster, "talk", "Running")
    cluster.wait_for(JOBFLOW, NAMESPACE, "talk", lambda body: step_of(body, "a").get("phase") == "Completed")
    for index in (0, 1):
        cluster.kube.request("PUT", f"/testing/logs/{NAMESPACE}/talk-a-w-{index}/main", {"line": index})
    ran = live("logs", "talk/a")
    assert (ran.code, lines(ran.out)) == (0, ['[talk-a-w-0] {"line":0}', '[talk-a-w-1] {"line":1}'])
    followed = live("logs", "talk/a", "--follow")
    assert sorted(lines(followed.out)) == lines(ran.out)
    job = step_of(cluster.kube.get(JOBFLOW, NAMESPACE, "talk"), "a")["jobs"][-1]
    assert live("logs", "talk/a", "--job", job).out == ran.out
    assert live("logs", "gone/a", "--job", job).out == ran.out
    for more in ((), ("--job", job)):
        nope = live("logs", "talk/nope", *more)
        assert (nope.code, nope.out) == (3, "")
        assert 'no step named "nope"' in nope.err
        assert "steps of talk: a" in nope.err
    assert live("logs", "talk/a", "--tail", "-1").out == ran.out
    wrong = live("logs", "talk/a", "-c", "mian")
    assert (wrong.code, wrong.out) == (3, "")
    assert 'no container named "mian" in the pods of Job talk-a; did you mean "main"?' in wrong.err
    assert live("logs", "talk").code == 2
    silent = [{"kind": "latency", "seconds": 3600, "resources": ["pods/log"]}]
    cluster.kube.request("PUT", "/testing/faults", silent)
    unanswered = live("logs", "talk/a", "--request-timeout", "200ms")
    cluster.kube.request("DELETE", "/testing/faults")
    assert (unanswered.code, unanswered.out) == (4, "")
    assert "--request-timeout sets how long to wait" in unanswered.err
    cluster.kube.delete(JOBFLOW, NAMESPACE, "talk")


def test_logs_of_a_step_that_was_skipped_say_so(cluster: LocalCluster, live: Live) -> None:
    cluster.apply(flow("partly", a=uses("quick"), b={**uses("quick", "a"), "if": "false"}))
    done(cluster, "partly", "Succeed")
    ran = live("logs", "partly/b")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("jobflow: step b has created no Job (Skipped: ConditionFalse")
    cluster.kube.delete(JOBFLOW, NAMESPACE, "partly")


def test_logs_and_job_view_print_why_a_pod_does_not_run(cluster: LocalCluster, live: Live) -> None:
    body = template(NAMESPACE, "unpulled", 1)
    body["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["image"] = "fail/nowhere"
    cluster.apply(body, flow("stuck", a=uses("unpulled")))
    pulling = "container main: "
    until(lambda: pulling in live("logs", "stuck/a").err, 60, lambda: live("logs", "stuck/a").err)
    ran = live("logs", "stuck/a")
    assert (ran.code, ran.out) == (1, "")
    assert "stuck-a-w-0: " in ran.err
    shown = live("job", "view", "stuck-a").out
    assert "PROBLEM" in shown
    assert pulling in shown
    until(lambda: "PodProblem" in live("job", "view", "stuck-a").out, 30, lambda: "no event")
    cluster.kube.delete(JOBFLOW, NAMESPACE, "stuck")


def test_graphs_of_a_live_flow_show_its_states(cluster: LocalCluster, live: Live) -> None:
    cluster.apply(flow("drawn", a=uses("quick"), b=uses("bad", "a")))
    done(cluster, "drawn")
    assert lines(live("graph", "drawn").out) == ["drawn", "✓ a  Completed", "└─ ✗ b  Failed"]
    picture = live("graph", "drawn", "-o", "svg").out
    assert 'class="step completed"' in picture
    assert 'class="step failed"' in picture
    assert "class n1 failed" in live("graph", "drawn", "-o", "mermaid").out


def test_the_steps_of_a_sub_flow_are_shown_in_place(cluster: LocalCluster, live: Live) -> None:
    inner = {"spec": {"flows": [{"name": "x", **uses("quick")}]}}
    cluster.apply(flow("outer", region={"flow": inner, "for": {"items": ["a", "b"]}}, after=uses("quick", "region")))
    live("status", "outer", "--watch")
    seen = live("status", "outer").out
    assert "region[0]/x" in seen
    assert "region[1]/x" in seen
    assert "region[1]/x" in live("graph", "outer").out
    assert live("logs", "outer/region[0]/x").code == 0
    assert "runs a flow" in live("logs", "outer/region").err
    assert "no step named" in live("logs", "outer/region[0]/y").err
