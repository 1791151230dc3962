"""The text of an error page: what happened, and what to do. Pure."""

import re
from typing import Final

import msgspec

from shared.kube.client.errors import ApiError, Forbidden, NotFound, Unauthorized, Unavailable

_DENIED: Final = re.compile(
    r'cannot (?P<verb>[\w-]+) (?:resource|path) "(?P<resource>[^"]*)"'
    r'(?: in API group "(?P<group>[^"]*)")?'
    r'(?: (?:in the namespace "(?P<namespace>[^"]*)"|at the cluster scope))?'
)
_USER: Final = re.compile(r'User "([^"]*)"')


class MissingRight(msgspec.Struct, frozen=True):
    """The right that is missing in a 403 of RBAC. `namespace`: '' for the whole cluster."""

    user: str
    verb: str
    resource: str
    group: str
    namespace: str


class Fault(msgspec.Struct, frozen=True):
    """`status`: the HTTP status of the page; `details`: the API server's own words; `sign_in`: whether that would help."""

    status: int
    title: str
    advice: str = ""
    details: str = ""
    right: MissingRight | None = None
    sign_in: bool = False


def missing_right(message: str) -> MissingRight | None:
    """None if the refusal has another cause than a missing right, such as a policy or a quota."""
    found = _DENIED.search(message)
    if found is None:
        return None
    user = _USER.search(message)
    return MissingRight(
        user=user[1] if user else "",
        verb=found["verb"],
        resource=found["resource"],
        group=found["group"] or "",
        namespace=found["namespace"] or "",
    )


def fault_of(error: ApiError) -> Fault:
    if isinstance(error, Unauthorized):
        return Fault(401, "The API server does not know who you are", "Sign in again.", error.message, sign_in=True)
    if isinstance(error, Forbidden):
        right = missing_right(error.message)
        if right is None:
            return Fault(403, "The API server refused this", "", error.message)
        return Fault(403, "You are missing a right", "", error.message, right)
    if isinstance(error, NotFound):
        kind_missing = "could not find the requested resource" in error.message or "page not found" in error.message
        advice = "Its CustomResourceDefinition is not installed in this cluster." if kind_missing else ""
        return Fault(404, "This does not exist", advice or "It may have been deleted since.", error.message)
    if isinstance(error, Unavailable):
        return Fault(503, "The API server does not answer", "This page tries again by itself.", error.message)
    return Fault(error.code or 500, "The API server refused this", "", error.message)


class UnfitForm(Exception):
    """What was typed into a form cannot be done. The text says what is wrong with it."""


def unfit_form(why: str) -> Fault:
    return Fault(400, "This cannot be done", f"{why[:1].upper()}{why[1:]}. Go back and change it.")


class TooLate(Exception):
    """What a form asks for no longer fits what the cluster has. The text says why."""


def too_late(why: str) -> Fault:
    return Fault(409, "This came too late", f"{why[:1].upper()}{why[1:]}. Go back, load the page again and look first.")


def refused_request(why: str) -> Fault:
    return Fault(403, "This request was refused", why[:1].upper() + why[1:] + ".")


def missing_page(path: str) -> Fault:
    return Fault(404, "There is no such page", "The address may have been cut off when it was copied.", path)


def odd_request(status: int, reason: str) -> Fault:
    return Fault(status, f"This request cannot be answered: {reason}")


def our_fault() -> Fault:
    return Fault(500, "This page has failed", "The log of the server says why.")
