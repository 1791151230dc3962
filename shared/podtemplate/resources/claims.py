"""`resourceClaims` of the pod, and the claims that its containers use."""

from collections.abc import Iterator

from shared.podtemplate.field import Field
from shared.podtemplate.formats import dns_label, dns_subdomain
from shared.violation import Reason, Violation


def resource_claims(field: Field) -> Iterator[Violation]:
    names: set[str] = set()
    for claim in field.items:
        name = claim.get("name")
        if not name.text:
            yield name.required()
        elif name.text in names:
            yield name.duplicate()
        else:
            yield from name.each(dns_label(name.text))
        names.add(name.text)
        given = [claim.get(each) for each in ("resourceClaimName", "resourceClaimTemplateName")]
        given = [each for each in given if each.present]
        if len(given) == 2:
            yield claim.invalid("at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified")
        elif not given:
            yield claim.invalid("must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
        for each in given:
            yield from each.each(dns_subdomain(each.text))


def claimed(field: Field, known: set[str]) -> Iterator[Violation]:
    """`field`: resources.claims of a container; `known`: names of the pod's claims."""
    seen: set[str] = set()
    for claim in field.items:
        name, request = claim.get("name").text, claim.get("request")
        if not name:
            yield claim.required()
            continue
        key = f"{name}/{request.text}" if request.text else name
        if request.text:
            yield from request.each(dns_label(request.text))
        covers = not request.text and any(each.startswith(f"{name}/") for each in seen)
        if name in seen or key in seen or covers:
            yield claim.duplicate(name if name in seen else key)
        seen.add(key)
        if name not in known:
            yield Violation(claim.path, "must be one of the names in pod.spec.resourceClaims", name, Reason.NOT_FOUND)
