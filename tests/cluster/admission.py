"""The webhook of a local cluster: its certificate, and the configurations that send the API server to it by URL."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from certs.issue import issue_serving, new_authority
from shared.kinds import MUTATING, VALIDATING, Kind

Body = dict[str, Any]
HOOKS = Path("helm/jobflow/files/webhooks.yaml")  # generated from the webhook's routes
NAME = "jobflow-local"
_TIMEOUT_SECONDS = 5
_EXCLUDED = ("kube-system", "kube-node-lease", "kube-public")


def issue(folder: Path, host: str) -> bytes:
    """Write tls.crt and tls.key for `host` into `folder`; the CA bundle to trust them by."""
    now = datetime.now(UTC)  # noqa: TID251 - certificates of a cluster that lives for minutes
    authority = new_authority("jobflow-local", now)
    pair = issue_serving(authority, (host, "localhost", "127.0.0.1"), now)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tls.crt").write_bytes(pair.certificate)
    (folder / "tls.key").write_bytes(pair.key)
    return authority.certificate


def configurations(url: str, bundle: bytes) -> list[tuple[Kind, Body]]:
    """What the chart installs, with a URL in place of a Service."""
    hooks = yaml.safe_load(HOOKS.read_text())
    made = []
    for kind, key in ((MUTATING, "mutating"), (VALIDATING, "validating")):
        body = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": {"name": NAME},
            "webhooks": [_webhook(each, url, bundle) for each in hooks[key] if not each.get("optional")],
        }
        made.append((kind, body))
    return made


def _webhook(hook: Body, url: str, bundle: bytes) -> Body:
    excluded = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": list(_EXCLUDED)}
    made = {
        "name": hook["name"],
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": url + hook["path"], "caBundle": base64.b64encode(bundle).decode()},
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "sideEffects": "None",
        "timeoutSeconds": _TIMEOUT_SECONDS,
        "namespaceSelector": {"matchExpressions": [excluded]},
        "rules": hook["rules"],
    }
    copied = {key: hook[key] for key in ("reinvocationPolicy", "matchConditions") if hook.get(key)}
    return made | copied
