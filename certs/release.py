"""Finds the certificates of an installed release by the labels of the chart: Service, Secret and webhook configurations.

Commands that change certificates use it, so that they never create a Secret or touch the configurations of another release.
"""

from typing import Final

import msgspec

from certs import injection
from certs.keeper import CertificateLocation
from certs.material import Material, authorities_in, foreign_issuer, from_secret, issued_by_others
from certs.service_names import service_names
from shared.kinds import MUTATING, SECRET, SERVICE, VALIDATING, Kind
from shared.kube.client.api import Api
from shared.kube.client.errors import NotFound
from shared.kube.client.reader import ApiReader
from shared.model.types import Body

INSTANCE: Final = "app.kubernetes.io/instance"
SELECTOR: Final = "app.kubernetes.io/name=jobflow,app.kubernetes.io/component=webhook"


class ReleaseNotFound(Exception):
    """An object of the release is missing or does not belong to it. The text names it and what to do."""


class ReleaseNames(msgspec.Struct, frozen=True):
    """What the user asked for. '' and () mean: find it by the labels of the release."""

    namespace: str
    release: str = ""
    service: str = ""
    secret: str = ""
    configurations: tuple[str, ...] = ()


class ReleaseCertificates(msgspec.Struct, frozen=True):
    """The certificates of a release and the objects that hold them."""

    location: CertificateLocation
    material: Material


async def find_certificates(api: ApiReader, names: ReleaseNames) -> ReleaseCertificates:
    """Read the objects of a release. Raises ReleaseNotFound, and ApiError if the API server cannot be used."""
    service = await _service(api, names)
    service_name = str(service["metadata"]["name"])
    secret = await _secret(api, names, service)
    location = CertificateLocation(
        namespace=names.namespace,
        secret=str(secret["metadata"]["name"]),
        names=service_names(service_name, names.namespace),
        configurations=await _configurations(api, names, service_name),
    )
    return ReleaseCertificates(location, _material(secret))


async def find_material(api: ApiReader, names: ReleaseNames) -> Material:
    """Only the certificates in the Secret of a release; its configurations need not exist. Raises as above.

    A Secret that is named may be one that cert-manager or the operator fills: it needs no key of the CA.
    """
    service = None if names.secret else await _service(api, names)
    secret = await _secret(api, names, service)
    return ((names.secret or foreign_issuer(secret)) and issued_by_others(secret)) or _material(secret)


async def check_trust(api: ApiReader, found: ReleaseCertificates) -> None:
    """Raise ReleaseNotFound unless every configuration trusts the CA that signed the serving certificate.

    Otherwise a rotation would replace a CA that the configurations trust and that may be in use.
    """
    for name in found.location.configurations:
        for kind in (MUTATING, VALIDATING):
            configuration = await api.get(kind, "", name)
            for bundle in injection.bundles(configuration):
                if found.material.signer not in authorities_in(bundle):
                    raise ReleaseNotFound(
                        f"{kind.kind} {name} does not trust the certificate in Secret {found.location.namespace}/"
                        f"{found.location.secret}; a running webhook injects its CA within a minute, then try again"
                    )


async def check_rights(api: Api, found: ReleaseCertificates) -> None:
    """Try every write of a rotation as a dry run that changes nothing. Raises the ApiError of the first that is refused.

    Otherwise a rotation could stop after its first write, if the caller may change the Secret only.
    """
    location = found.location
    secret = await api.get(SECRET, location.namespace, location.secret)
    await api.replace(SECRET, secret, dry_run=True)
    for name in location.configurations:
        for kind in (MUTATING, VALIDATING):
            configuration = await api.get(kind, "", name)
            version = configuration["metadata"]["resourceVersion"]
            unchanged: list[Body] = [{"op": "test", "path": "/metadata/resourceVersion", "value": version}]
            await api.patch(kind, "", name, unchanged, dry_run=True)


async def _service(api: ApiReader, names: ReleaseNames) -> Body:
    if names.service:
        return await _named(api, SERVICE, names.namespace, names.service)
    services = [each async for each in api.list(SERVICE, names.namespace, label_selector=SELECTOR)]
    wanted = [each for each in services if names.release in ("", each["metadata"]["labels"].get(INSTANCE))]
    if len(wanted) == 1:
        return wanted[0]
    there = ", ".join(sorted(str(each["metadata"]["labels"].get(INSTANCE)) for each in services))
    if wanted:
        raise ReleaseNotFound(f"several releases in namespace {names.namespace} ({there}): choose one with --release")
    what = f"release {names.release}" if names.release else "a release"
    hint = f"releases there: {there}" if there else "set --namespace to the namespace of the release"
    raise ReleaseNotFound(f"no webhook Service of {what} in namespace {names.namespace}; {hint}")


async def _secret(api: ApiReader, names: ReleaseNames, service: Body | None) -> Body:
    if names.secret or service is None:
        return await _named(api, SECRET, names.namespace, names.secret)
    release = str((service["metadata"].get("labels") or {}).get(INSTANCE, names.release))
    selector = f"{SELECTOR},{INSTANCE}={release}"
    found = [each async for each in api.list(SECRET, names.namespace, label_selector=selector)]
    if len(found) != 1:
        raise ReleaseNotFound(
            f"{len(found) or 'no'} Secrets of release {release} in namespace {names.namespace} (labels {selector}); "
            "only a Secret that the webhook fills itself (certificates.source=self) can be rotated; "
            "`inspect --secret NAME` shows another one"
        )
    return found[0]


def _material(secret: Body) -> Material:
    material = from_secret(secret)
    where = f"{secret['metadata']['namespace']}/{secret['metadata']['name']}"
    if issuer := foreign_issuer(secret):
        raise ReleaseNotFound(f"Secret {where} is issued by {issuer}, so it is left unchanged; renew it there")
    if material is None and issued_by_others(secret):
        raise ReleaseNotFound(
            f"Secret {where} does not contain the key of its CA (ca.key), so only what issued its certificates can "
            "replace them"
        )
    if material is None:
        raise ReleaseNotFound(f"Secret {where} holds no usable certificates; a running webhook replaces them")
    return material


async def _configurations(api: ApiReader, names: ReleaseNames, service: str) -> tuple[str, ...]:
    """Names of the configurations whose webhooks call the Service; both kinds must exist for each name."""
    called = (names.namespace, service)
    if names.configurations:
        for name in names.configurations:
            for kind in (MUTATING, VALIDATING):
                _check_service(kind, await _named(api, kind, "", name), called)
        return names.configurations
    found = {kind: await _calling(api, kind, called) for kind in (MUTATING, VALIDATING)}
    if not found[MUTATING] or found[MUTATING] != found[VALIDATING]:
        listed = "; ".join(f"{kind.kind}: {', '.join(sorted(each)) or 'none'}" for kind, each in found.items())
        raise ReleaseNotFound(
            f"webhook configurations that call Service {names.namespace}/{service} are missing ({listed}); "
            "restore them with `helm upgrade`"
        )
    return tuple(sorted(found[MUTATING]))


async def _calling(api: ApiReader, kind: Kind, called: tuple[str, str]) -> set[str]:
    bodies = [each async for each in api.list(kind, label_selector=SELECTOR)]
    return {str(each["metadata"]["name"]) for each in bodies if injection.services(each) == {called}}


def _check_service(kind: Kind, configuration: Body, called: tuple[str, str]) -> None:
    services = injection.services(configuration)
    if services != {called}:
        listed = ", ".join(sorted("/".join(each) for each in services)) or "nothing"
        name = configuration["metadata"]["name"]
        raise ReleaseNotFound(f"{kind.kind} {name} calls {listed}, not Service {'/'.join(called)}")


async def _named(api: ApiReader, kind: Kind, namespace: str, name: str) -> Body:
    try:
        return await api.get(kind, namespace, name)
    except NotFound as error:
        where = f" in namespace {namespace}" if namespace else ""
        raise ReleaseNotFound(f"{kind.kind} {name} does not exist{where}") from error
