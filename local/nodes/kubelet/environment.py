"""The environment, command and files of a container as a kubelet sets them up, for local processes."""

import base64
import re
from dataclasses import dataclass
from pathlib import Path

from local.client.rest import RestClient, RestError
from local.nodes.scheduler.resources import quantity
from shared.model.types import Body

_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class WaitingError(Exception):
    """An object that the container needs does not exist yet. `reason`: of the waiting state."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class VolumeSources:
    """Reads ConfigMaps and Secrets of one namespace as `{key: bytes}`."""

    client: RestClient
    namespace: str

    async def config_map(self, name: str, optional: bool = False) -> dict[str, bytes]:
        found = await self._read("configmaps", name, optional)
        plain = {key: value.encode() for key, value in (found.get("data") or {}).items()}
        return plain | {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}

    async def secret(self, name: str, optional: bool = False) -> dict[str, bytes]:
        found = await self._read("secrets", name, optional)
        return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}

    async def token(self, account: str, seconds: int) -> bytes:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{account}/token"
        return str((await self.client.create(path, body))["status"]["token"]).encode()

    async def _read(self, plural: str, name: str, optional: bool) -> Body:
        try:
            found: Body = await self.client.get(f"/api/v1/namespaces/{self.namespace}/{plural}/{name}")
        except RestError as error:
            if error.code != 404:
                raise
            if optional:
                return {}
            raise WaitingError("CreateContainerConfigError", f'{plural[:-1]} "{name}" not found') from error
        return found


async def variables(pod: Body, container: Body, status: Body, sources: VolumeSources) -> dict[str, str]:
    """The variables of `env` and `envFrom`, with `$(NAME)` expanded in order. `status`: has podIP and hostIP."""
    made: dict[str, str] = {"HOSTNAME": pod["spec"].get("hostname") or pod["metadata"]["name"]}
    for entry in container.get("envFrom") or []:
        made |= await _whole(entry, sources)
    for entry in container.get("env") or []:
        source = entry.get("valueFrom")
        if source is None:
            made[entry["name"]] = expand(entry.get("value", ""), made)
            continue
        value = await _single(pod, container, status, source, sources)
        if value is not None:
            made[entry["name"]] = value
    return made


def expand(text: str, known: dict[str, str]) -> str:
    """Expand `$(NAME)` as Kubernetes does: unknown names stay, `$$` is a dollar sign."""

    def put(found: re.Match[str]) -> str:
        return "$" if found[1] is None else known.get(found[1], found[0])

    return _REFERENCE.sub(put, text)


async def _whole(entry: Body, sources: VolumeSources) -> dict[str, str]:
    prefix = entry.get("prefix", "")
    if "configMapRef" in entry:
        read = await sources.config_map(entry["configMapRef"]["name"], entry["configMapRef"].get("optional", False))
    else:
        read = await sources.secret(entry["secretRef"]["name"], entry["secretRef"].get("optional", False))
    return {prefix + key: value.decode(errors="replace") for key, value in read.items()}


async def _single(pod: Body, container: Body, status: Body, source: Body, sources: VolumeSources) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, status, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return resource_value(container, source["resourceFieldRef"])
    reference = source.get("configMapKeyRef") or source["secretKeyRef"]
    optional = reference.get("optional", False)
    read = sources.config_map if "configMapKeyRef" in source else sources.secret
    value = (await read(reference["name"], optional)).get(reference["key"])
    if value is None and not optional:
        raise WaitingError("CreateContainerConfigError", f'no key "{reference["key"]}" in "{reference["name"]}"')
    return None if value is None else value.decode(errors="replace")


def field_value(pod: Body, status: Body, path: str) -> str:
    """The value of a field path in the downward API."""
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript is not None:
        return str((pod["metadata"].get(subscript[1]) or {}).get(subscript[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        held = pod["metadata"].get(path.rpartition(".")[2]) or {}
        return "".join(f'{key}="{value}"\n' for key, value in sorted(held.items()))
    top, _, name = path.partition(".")
    holder = status if top == "status" else pod[top]
    if name == "podIPs":
        return str(status["podIP"])
    return str(holder.get(name, ""))


def resource_value(container: Body, reference: Body) -> str:
    kind, _, name = reference["resource"].partition(".")
    held = (container.get("resources") or {}).get(kind) or {}
    divisor = quantity(reference.get("divisor") or 1) or quantity(1)
    return str(-(-quantity(held.get(name, 0)) // divisor))


def under(root: Path, path: str) -> Path:
    """The path below the root folder for an absolute path in the container."""
    return root / path.lstrip("/")
