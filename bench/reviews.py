"""AdmissionReviews as kube-apiserver sends them."""

from typing import Any

import orjson


def review(body: dict[str, Any]) -> bytes:
    """The review of a request that creates `body`."""
    group, _, version = body["apiVersion"].partition("/")
    kind = {"group": group, "version": version, "kind": body["kind"]}
    resource = {"group": group, "version": version, "resource": body["kind"].lower() + "s"}
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "name": body["metadata"]["name"],
        "namespace": body["metadata"]["namespace"],
        "operation": "CREATE",
        "userInfo": {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]},
        "object": body,
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-create"},
    }
    return orjson.dumps({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request})
