"""Parts of JobFlows for the tables of their rules."""

from typing import Any

from shared.model.types import Body
from tests.webhook.make import flow, step

LONG = "x" * 50

SWITCH = {"value": "params.p", "cases": [{"when": ["1"], "run": ["b"]}], "default": ["c"]}

PARAM = {"params": [{"name": "p", "value": "1"}]}


def loop(**source: Any) -> Body:
    return flow(step("a", **{"for": source}))


def probe(**lists: Any) -> Body:
    return flow(step("a"), step("b", dependsOn={"targets": ["a"], "probe": lists}))


def patched(*operations: Body, **more: Any) -> Body:
    return flow(step("a", patch={"jsonPatch": list(operations), **more}))


TEMPLATE = "/tasks/0/template"


def pod(argument: str) -> Body:
    return {"spec": {"containers": [{"name": "c", "args": [argument]}]}}
