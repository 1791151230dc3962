"""The volumes of a pod as folders, and the mounts of a container as links below its root."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from local.nodes.kubelet.environment import VolumeSources, WaitingError, field_value, under
from shared.model.types import Body

_DEFAULT_MODE = 0o644


async def materialise(pod: Body, status: Body, folder: Path, claims: Path, sources: VolumeSources) -> dict[str, Path]:
    """The folders of the pod's volumes by name. Folders of claims outlive the pod."""
    made: dict[str, Path] = {}
    for volume in pod["spec"].get("volumes") or []:
        claim = volume.get("persistentVolumeClaim")
        place = folder / volume["name"]
        if claim is not None:
            place = claims / pod["metadata"]["namespace"] / claim["claimName"]
        elif "hostPath" in volume:
            place = claims / "host" / volume["hostPath"]["path"].strip("/").replace("/", "_")
        place.mkdir(parents=True, exist_ok=True)
        for source in _sources(volume):
            for path, content, mode in await _present(pod, status, source, sources):
                _write(place / path, content, mode)
        made[volume["name"]] = place
    return made


async def await_sources(pod: Body, sources: VolumeSources) -> None:
    """Raises WaitingError while a ConfigMap, a Secret or a key of one that a volume needs is missing."""
    for volume in pod["spec"].get("volumes") or []:
        for source in _sources(volume):
            if "serviceAccountToken" not in source and "downwardAPI" not in source:
                await _present(pod, {}, source, sources)


async def _present(pod: Body, status: Body, source: Body, sources: VolumeSources) -> list[tuple[str, bytes, int]]:
    """The files of a source. A kubelet names what a volume lacks in an event only, not in the container's status."""
    try:
        return await _files(pod, status, source, sources)
    except WaitingError as error:
        raise WaitingError("ContainerCreating", "") from error


def mount(container: Body, volumes: Mapping[str, Path], root: Path, variables: Mapping[str, str]) -> None:
    """Create every mount path of the container below `root`, as a link to its volume."""
    for entry in container.get("volumeMounts") or []:
        target = volumes[entry["name"]] / (entry.get("subPath") or "")
        place = under(root, entry["mountPath"])
        if not target.exists():
            target.mkdir(parents=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_symlink():
            place.unlink()
        elif place.is_dir():
            shutil.rmtree(place)
        place.symlink_to(target)


def _sources(volume: Body) -> list[Body]:
    if "projected" in volume:
        return list(volume["projected"].get("sources") or [])
    if "configMap" in volume:
        return [{"configMap": volume["configMap"]}]
    if "secret" in volume:
        return [{"secret": volume["secret"] | {"name": volume["secret"].get("secretName", "")}}]
    return [{"downwardAPI": volume["downwardAPI"]}] if "downwardAPI" in volume else []


async def _files(pod: Body, status: Body, source: Body, sources: VolumeSources) -> list[tuple[str, bytes, int]]:
    if "downwardAPI" in source:
        return [
            (item["path"], field_value(pod, status, item["fieldRef"]["fieldPath"]).encode(), _DEFAULT_MODE)
            for item in source["downwardAPI"].get("items") or []
            if "fieldRef" in item
        ]
    if "serviceAccountToken" in source:
        asked = source["serviceAccountToken"]
        account = pod["spec"].get("serviceAccountName", "default")
        token = await sources.token(account, asked.get("expirationSeconds", 3600))
        return [(asked["path"], token, _DEFAULT_MODE)]
    held = source.get("configMap") or source["secret"]
    read = sources.config_map if "configMap" in source else sources.secret
    return _picked(await read(held["name"], held.get("optional", False)), held)


def _picked(content: Mapping[str, bytes], source: Body) -> list[tuple[str, bytes, int]]:
    usual = source.get("defaultMode", _DEFAULT_MODE)
    if not source.get("items"):
        return [(key, value, usual) for key, value in content.items()]
    missing = [item["key"] for item in source["items"] if item["key"] not in content]
    if missing and not source.get("optional"):
        raise WaitingError("ContainerCreating", f"references non-existent config key: {missing[0]}")
    return [
        (item["path"], content[item["key"]], item.get("mode", usual))
        for item in source["items"]
        if item["key"] in content
    ]


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
