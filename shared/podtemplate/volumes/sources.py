"""The sources of volumes: their required fields and formats."""

import re
from collections.abc import Iterator
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import csi_driver, descending_path, dns_label, dns_subdomain
from shared.podtemplate.resources.amounts import size_limit
from shared.podtemplate.volumes.claims import claim_template
from shared.podtemplate.volumes.items import downward_items, key_items, mode
from shared.podtemplate.volumes.projected import projections
from shared.violation import Violation

_HOST_PATH_TYPES: Final = (
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
# Fields that must not be empty.
_REQUIRED: Final = {
    "secret": ("secretName",),
    "configMap": ("name",),
    "persistentVolumeClaim": ("claimName",),
    "hostPath": ("path",),
    "nfs": ("server", "path"),
    "gitRepo": ("repository",),
    "image": ("reference",),
    "csi": ("driver",),
    "iscsi": ("targetPortal", "iqn"),
    "gcePersistentDisk": ("pdName",),
    "awsElasticBlockStore": ("volumeID",),
    "rbd": ("monitors", "image"),
    "cinder": ("volumeID",),
    "cephfs": ("monitors",),
    "flexVolume": ("driver",),
    "azureFile": ("secretName", "shareName"),
    "azureDisk": ("diskName", "diskURI"),
    "vsphereVolume": ("volumePath",),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "scaleIO": ("gateway", "system", "volumeName"),
    "storageos": ("volumeName",),
    "quobyte": ("registry", "volume"),
    "glusterfs": ("endpoints", "path"),
}
_NAMED_SECRETS: Final = {"cinder": "secretRef", "storageos": "secretRef", "csi": "nodePublishSecretRef"}
_PARTITIONS: Final = ("gcePersistentDisk", "awsElasticBlockStore")
_IQN: Final = (
    ("iqn", re.compile(r"iqn\.\d{4}-\d{2}\.([-.0-9A-Za-z]+)(:[^,;*&$|\s]+)$", re.ASCII)),
    ("eui", re.compile(r"^eui.[0-9A-Za-z]{16}$")),
    ("naa", re.compile(r"^naa.[0-9A-Za-z]{32}$")),
)


def source_fields(kind: str, source: Field, name: Field) -> Iterator[Violation]:
    """The fields of a volume's source. `name`: of the volume."""
    for required in _REQUIRED.get(kind, ()):
        if source.get(required).value in (None, "", []):
            yield source.get(required).required()
    yield from mode(source.get("defaultMode"))
    secret = source.get(_NAMED_SECRETS.get(kind, ""))
    if secret.present and not secret.get("name").text:
        yield secret.get("name").required()
    if kind in _PARTITIONS and not 0 <= (source.get("partition").number or 0) <= 255:
        yield source.get("partition").invalid("must be between 0 and 255, inclusive")
    yield from _usual(kind, source)
    yield from _rare(kind, source, name)


def _usual(kind: str, source: Field) -> Iterator[Violation]:
    match kind:
        case "secret" | "configMap":
            yield from key_items(source)
        case "downwardAPI":
            yield from downward_items(source)
        case "projected":
            yield from projections(source)
        case "hostPath":
            yield from source.get("type").one_of(*_HOST_PATH_TYPES)
            if ".." in source.get("path").text.split("/"):
                yield source.get("path").invalid("must not contain '..'")
        case "nfs" if not source.get("path").text.startswith("/"):
            yield source.get("path").invalid("must be an absolute path")
        case "emptyDir":
            yield from size_limit(source.get("sizeLimit"))
        case "ephemeral":
            yield from claim_template(source.get("volumeClaimTemplate"))
        case "csi":
            if source.get("driver").text:
                yield from source.get("driver").each(csi_driver(source.get("driver").text))
            secret = source.get("nodePublishSecretRef").get("name")
            if secret.text:
                yield from secret.each(dns_subdomain(secret.text))
        case "image":
            yield from source.get("pullPolicy").one_of("Always", "IfNotPresent", "Never")


def _rare(kind: str, source: Field, name: Field) -> Iterator[Violation]:
    match kind:
        case "gitRepo":
            yield from source.get("directory").each(descending_path(source.get("directory").text))
        case "flexVolume":
            for option in source.get("options").keys:
                if f".{option.partition('/')[0].lower()}".endswith((".kubernetes.io", ".k8s.io")):
                    message = "kubernetes.io and k8s.io namespaces are reserved"
                    yield Violation(source.get("options").key(option).path, message, option)
        case "fc":
            yield from _fibre_channel(source)
        case "iscsi":
            yield from _iscsi(source, name)
        case "storageos":
            for field in ("volumeName", "volumeNamespace"):
                if source.get(field).text:
                    yield from source.get(field).each(dns_label(source.get(field).text))
        case "flocker":
            yield from _flocker(source)
        case "quobyte":
            yield from _quobyte(source)
        case "azureDisk":
            yield from _azure_disk(source)


def _fibre_channel(source: Field) -> Iterator[Violation]:
    names, identifiers, lun = source.get("targetWWNs"), source.get("wwids"), source.get("lun")
    if not names.holds and not identifiers.holds:
        yield names.required("must specify either targetWWNs or wwids, but not both")
    if names.holds and identifiers.holds:
        yield names.invalid("targetWWNs and wwids can not be specified simultaneously")
    if names.holds and lun.number is None:
        yield lun.required("lun is required if targetWWNs is specified")
    elif names.holds and not 0 <= (lun.number or 0) <= 255:
        yield lun.invalid("must be between 0 and 255, inclusive")


def _iscsi(source: Field, name: Field) -> Iterator[Violation]:
    for field in (source.get("iqn"), source.get("initiatorName")):
        if field.text or (field.present and field.path.endswith("initiatorName")):
            form = next((pattern for prefix, pattern in _IQN if field.text.startswith(prefix)), None)
            if form is None:
                yield field.invalid("must be valid format starting with iqn, eui, or naa")
            elif not form.search(field.text):
                yield field.invalid("must be valid format")
    if not 0 <= (source.get("lun").number or 0) <= 255:
        yield source.get("lun").invalid("must be between 0 and 255, inclusive")
    authenticates = source.get("chapAuthDiscovery").true or source.get("chapAuthSession").true
    if authenticates and not source.get("secretRef").present:
        yield source.get("secretRef").required()
    portal = source.get("targetPortal").text
    if source.get("initiatorName").present and len(f"{name.text}:{portal}") > 64:
        message = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."
        yield name.invalid(message)


def _flocker(source: Field) -> Iterator[Violation]:
    name, identifier = source.get("datasetName"), source.get("datasetUUID")
    if not name.text and not identifier.text:
        yield source.required("one of datasetName and datasetUUID is required")
    if name.text and identifier.text:
        yield source.invalid("datasetName and datasetUUID can not be specified simultaneously")
    if "/" in name.text:
        yield name.invalid("must not contain '/'")


def _quobyte(source: Field) -> Iterator[Violation]:
    registry, tenant = source.get("registry"), source.get("tenant")
    if registry.text and len(tenant.text) > 64:
        yield tenant.required("must be a UUID and may not exceed a length of 64 characters")
    elif registry.text and not all(_host_and_port(pair) for pair in registry.text.split(",")):
        yield registry.invalid("must be a host:port pair or multiple pairs separated by commas")


def _host_and_port(text: str) -> bool:
    host, colon, _ = text.rpartition(":")
    return bool(colon) and (":" not in host or (host.startswith("[") and host.endswith("]")))


def _azure_disk(source: Field) -> Iterator[Violation]:
    yield from source.get("cachingMode").one_of("None", "ReadOnly", "ReadWrite")
    yield from source.get("kind").one_of("Dedicated", "Managed", "Shared")
    kind, uri = source.get("kind").text or "Shared", source.get("diskURI")
    managed = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
    blob = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
    wanted = managed if kind == "Managed" else blob
    if not uri.text.startswith(wanted[: wanted.index("{")]):
        yield uri.invalid(f'supported values: "{wanted}"')
