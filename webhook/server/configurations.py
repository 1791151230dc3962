"""`python -m webhook.server.configurations` generates the chart's webhook entries from the routes; `--check` compares."""

import base64
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml

from shared.crd import generated
from shared.kinds import MUTATING, VALIDATING, Kind
from shared.model.types import Body
from webhook.server.routes import ROUTES, hook

FILE: Final = Path("helm/jobflow/files/webhooks.yaml")
HEADER: Final = "# Generated from webhook/server/routes.py by `make generate`; do not edit.\n"
TIMEOUT_SECONDS: Final = 5
EXCLUDED_NAMESPACES: Final = ("kube-system",)


def hooks() -> dict[str, list[Body]]:
    """All webhook entries by kind of configuration: `mutating` and `validating`."""
    return {
        "mutating": [hook(route) for route in ROUTES if route.mutating],
        "validating": [hook(route) for route in ROUTES if not route.mutating],
    }


def configurations(
    name: str,
    client: Body,
    ca_bundle: bytes,
    *,
    excluded_namespaces: Sequence[str] = EXCLUDED_NAMESPACES,
    optional: Sequence[str] = (),
) -> list[tuple[Kind, Body]]:
    """Both complete configurations. `client`: `{"service": {...}}` or `{"url": "https://host:port"}`, without path."""
    return [
        (kind, _configuration(kind, name, [_whole(each, client, ca_bundle, excluded_namespaces) for each in chosen]))
        for kind, key in ((MUTATING, "mutating"), (VALIDATING, "validating"))
        for chosen in [[each for each in hooks()[key] if each.get("optional", "") in ("", *optional)]]
    ]


def _configuration(kind: Kind, name: str, webhooks: list[Body]) -> Body:
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}, "webhooks": webhooks}


def _whole(each: Body, client: Body, ca_bundle: bytes, excluded: Sequence[str]) -> Body:
    address: Body = {"caBundle": base64.b64encode(ca_bundle).decode()}
    if "url" in client:
        address["url"] = client["url"] + each["path"]
    else:
        address["service"] = {**client["service"], "path": each["path"]}
    selector = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": list(excluded)}
    return {
        "name": each["name"],
        "admissionReviewVersions": ["v1"],
        "clientConfig": address,
        "failurePolicy": each.get("failurePolicy", "Fail"),
        "matchPolicy": "Equivalent",
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT_SECONDS,
        "namespaceSelector": {"matchExpressions": [selector]},
        "matchConditions": each["matchConditions"],
        "rules": each["rules"],
    }


def render() -> str:
    """The whole file."""
    return HEADER + yaml.safe_dump(hooks(), sort_keys=False, width=160)


def main(argv: list[str] | None = None) -> int:
    return generated.keep(f"{__package__}.configurations", __doc__, FILE, render, argv)


if __name__ == "__main__":
    sys.exit(main())
