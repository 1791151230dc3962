"""The health checks of docs/gitops.md, run as Argo CD (Lua 5.1) and Flux (CEL) run them."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from cel_expr_python import cel
from lupa import lua51

from shared.model.types import Body

PAGE: Final = Path("docs/gitops.md")


@cache
def manifest(kind: str) -> Any:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return next(body for body in map(yaml.safe_load, blocks) if body.get("kind") == kind)


def argo(group: str, kind: str, body: Body) -> dict[str, str]:
    script = manifest("ConfigMap")["data"][f"resource.customizations.health.{group}_{kind}"]
    lua = lua51.LuaRuntime(unpack_returned_tuples=True)
    lua.globals()["obj"] = lua.table_from(plain(body), recursive=True)
    return dict(lua.execute(script))


def plain(value: Any) -> Any:
    """Without enumerations, which Lua does not know."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, str) else value


def flux(kind: str, body: Body) -> str:
    """As kstatus' CEL reader does: in progress, then failed, then current, else in progress."""
    (check,) = [each for each in manifest("Kustomization")["spec"]["healthCheckExprs"] if each["kind"] == kind]
    environment = cel.NewEnv(variables={"status": cel.Type.DYN, "spec": cel.Type.DYN})
    for name in ("inProgress", "failed", "current"):
        if name in check and environment.compile(check[name]).eval(data=plain(body)).value():
            return name
    return "inProgress"
