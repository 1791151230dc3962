"""Requests that an API server refuses, with the answer of kube-apiserver 1.36: equal on each backend."""

import re
from typing import Any, Final, NamedTuple

import pytest

from local.client.kubectl import KubectlError
from local.client.rest import RestError
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, jobflow

CORE: Final = "/api/v1/namespaces/{namespace}"
FLOWS: Final = "/apis/flow.volcano.sh/v1alpha1/namespaces/{namespace}/jobflows"


class Refused(NamedTuple):
    """A request and its answer; `message`: part of it, {namespace} is filled in."""

    method: str
    path: str
    code: int
    message: str
    body: Body | None = None
    content_type: str = "application/json"


def flow(**fields: Any) -> Body:
    return jobflow("{namespace}", "f", {"a": {}}) | fields


def pod(**spec: Any) -> Body:
    container = {"name": "c", "image": "busybox"} | spec.pop("container", {})
    spec = {"containers": [container]} | spec
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def config_map(**fields: Any) -> Body:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}} | fields


DRY_PODS: Final = f"{CORE}/pods?dryRun=All"
CASES: Final = {
    "a version that is not served": Refused(
        "GET", "/apis/flow.volcano.sh/v9/namespaces/{namespace}/jobflows", 404, "404 page not found"
    ),
    "a version in the data that is not served": Refused(
        "POST",
        FLOWS,
        400,
        "the API version in the data (flow.volcano.sh/v9) does not match the expected API version",
        flow(apiVersion="flow.volcano.sh/v9"),
    ),
    "an unknown subresource": Refused(
        "GET", f"{CORE}/pods/none/nope", 404, "the server could not find the requested resource"
    ),
    "a namespaced object without its namespace": Refused(
        "GET", "/apis/flow.volcano.sh/v1alpha1/jobflows/x", 404, "404 page not found"
    ),
    "a patch without a name": Refused("PATCH", FLOWS, 400, "name must be provided", {}, "application/merge-patch+json"),
    "an unknown dryRun": Refused(
        "POST",
        f"{CORE}/configmaps?dryRun=Nope",
        422,
        'dryRun: Unsupported value: ["Nope"]: supported values: "All"',
        config_map(),
    ),
    "an unknown fieldValidation": Refused(
        "POST",
        f"{CORE}/configmaps?fieldValidation=Nope",
        422,
        'supported values: "", "Ignore", "Strict", "Warn"',
        config_map(),
    ),
    "an unknown propagation policy": Refused(
        "DELETE",
        f"{CORE}/pods/none?propagationPolicy=Nope",
        422,
        'supported values: "Foreground", "Background", "Orphan", "nil"',
    ),
    "a key of a ConfigMap with a blank": Refused(
        "POST",
        f"{CORE}/configmaps",
        422,
        'data[a b]: Invalid value: "a b": a valid config key must consist of',
        config_map(data={"a b": "1"}),
    ),
    "a watch with a bad time-out": Refused(
        "GET", FLOWS + "?watch=1&timeoutSeconds=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'
    ),
    "a resource that does not exist": Refused(
        "POST", DRY_PODS, 422, "must be a standard resource", pod(container={"resources": {"requests": {"nope": "2"}}})
    ),
    "GPUs without a limit": Refused(
        "POST",
        DRY_PODS,
        422,
        "Limit must be set for non overcommitable resources",
        pod(container={"resources": {"requests": {"nvidia.com/gpu": "2"}}}),
    ),
    "an unknown restart policy": Refused(
        "POST", DRY_PODS, 422, 'supported values: "Always", "OnFailure", "Never"', pod(restartPolicy="Nope")
    ),
    "an unknown policy of termination messages": Refused(
        "POST",
        DRY_PODS,
        422,
        'supported values: "File", "FallbackToLogsOnError"',
        pod(container={"terminationMessagePolicy": "X"}),
    ),
    "a host port that differs on the host network": Refused(
        "POST",
        DRY_PODS,
        422,
        "must match `containerPort` when `hostNetwork` is true",
        pod(hostNetwork=True, container={"ports": [{"containerPort": 80, "hostPort": 81}]}),
    ),
    "a scheduling gate with a blank": Refused(
        "POST", DRY_PODS, 422, 'spec.schedulingGates[0]: Invalid value: "A b"', pod(schedulingGates=[{"name": "A b"}])
    ),
    "a handler without a type": Refused(
        "POST",
        DRY_PODS,
        422,
        "lifecycle.preStop: Required value: must specify a handler type",
        pod(container={"lifecycle": {"preStop": {}}}),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_request_is_refused_as_by_kube_apiserver(scenario: Scenario, case: Refused) -> None:
    scenario.cluster.await_service_account(scenario.namespace)
    path = case.path.format(namespace=scenario.namespace)
    body = case.body
    if body is not None and "metadata" in body:
        body = body | {"metadata": body["metadata"] | {"namespace": scenario.namespace}}
    with pytest.raises(RestError, match=re.escape(case.message)) as refused:
        scenario.kube.request(case.method, path, body, case.content_type)
    assert refused.value.code == case.code


LOG_CASES: Final = {
    "a negative tail": ("tailLines=-5", 422, "tailLines: Invalid value: -5: must be greater than or equal to 0"),
    "a tail that is no number": ("tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
    "no seconds": ("sinceSeconds=0", 422, "sinceSeconds: Invalid value: 0: must be greater than 0"),
    "no container of that name": ("container=nope", 400, "container nope is not valid for pod p"),
}


@pytest.mark.parametrize(("query", "code", "message"), LOG_CASES.values(), ids=LOG_CASES)
def test_log_options_are_checked(scenario: Scenario, query: str, code: int, message: str) -> None:
    scenario.cluster.await_service_account(scenario.namespace)
    path = f"/api/v1/namespaces/{scenario.namespace}/pods"
    scenario.kube.request("POST", path, pod(schedulingGates=[{"name": "test/gate"}]))
    assert scenario.kube.request("GET", f"{path}/p/log") == ""
    with pytest.raises(RestError, match=re.escape(message)) as refused:
        scenario.kube.request("GET", f"{path}/p/log?{query}")
    assert refused.value.code == code


UNKNOWN: Final = {
    "a version of a custom kind": ("flow.volcano.sh/v9", "JobFlow"),
    "the plural as the kind": ("flow.volcano.sh/v1alpha1", "JobFlows"),
    "a version of a built-in kind": ("v2", "Pod"),
    "a group": ("nope/v1", "Pod"),
}


@pytest.mark.parametrize(("version", "kind"), UNKNOWN.values(), ids=UNKNOWN)
def test_kubectl_names_the_kind_that_is_not_served(scenario: Scenario, version: str, kind: str) -> None:
    manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": scenario.namespace}}
    with pytest.raises(KubectlError, match=f'no matches for kind "{kind}" in version "{version}"'):
        scenario.cluster.kubectl.apply(manifest)
