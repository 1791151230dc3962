"""`windowsOptions`, and host processes of Windows pods."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import dns_subdomain
from shared.violation import Violation

_LARGEST_SPEC_KIB: Final = 64
_LONGEST_DOMAIN: Final = 256
_LONGEST_USER: Final = 104
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NETBIOS: Final = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_DOMAIN: Final = re.compile(
    r"[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)*"
)
_DOTS_AND_SPACES: Final = re.compile(r"[. ]+")
_BAD_CHARACTERS: Final = re.compile(r'["/\\:;|=,+*?<>@\[\]]')


def windows_options(field: Field) -> Iterator[Violation]:
    if not field.present:
        return
    name, spec, user = (field.get(each) for each in ("gmsaCredentialSpecName", "gmsaCredentialSpec", "runAsUserName"))
    if name.present:
        yield from name.each(dns_subdomain(name.text))
    if spec.value == "":
        yield spec.invalid("gmsaCredentialSpec cannot be an empty string")
    elif len(spec.text.encode()) > _LARGEST_SPEC_KIB * 1024:
        yield spec.invalid(f"gmsaCredentialSpec size must be under {_LARGEST_SPEC_KIB} KiB")
    if isinstance(user.value, str):
        yield from user.each(_user_name(user.text))


def host_processes(spec: Field, containers: Sequence[Field]) -> Iterator[Violation]:
    """Either all containers of a pod are host processes or none, and host processes need hostNetwork."""
    whole = spec.get("securityContext").get("windowsOptions").get("hostProcess")
    count = 0
    for container in containers:
        own = container.get("securityContext").get("windowsOptions").get("hostProcess")
        if whole.present and own.present and whole.value != own.value:
            shown = str(whole.value).lower()
            yield own.invalid(f"pod hostProcess value must be identical if both are specified, was {shown}")
        count += own.true or (not own.present and whole.true)
    if not count:
        return
    if count != len(containers):
        message = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        yield Violation(spec.path, message, "")
    if not spec.get("hostNetwork").true:
        message = "hostNetwork must be true if pod contains any hostProcess containers"
        yield Violation(spec.get("hostNetwork").path, message, False)


def _user_name(text: str) -> Iterator[str]:
    if not text:
        yield "runAsUserName cannot be an empty string"
    elif _CONTROL.search(text):
        yield "runAsUserName cannot contain control characters"
    elif text.count("\\") > 1:
        yield "runAsUserName cannot contain more than one backslash"
    else:
        domain, backslash, user = text.rpartition("\\")
        if len(domain) >= _LONGEST_DOMAIN:
            yield f"runAsUserName's Domain length must be under {_LONGEST_DOMAIN} characters"
        if backslash and not (_NETBIOS.fullmatch(domain) or _DOMAIN.fullmatch(domain)):
            yield "runAsUserName's Domain doesn't match the NetBios nor the DNS format"
        yield from _user(user)


def _user(user: str) -> Iterator[str]:
    if not user:
        yield "runAsUserName's User cannot be empty"
    elif len(user) > _LONGEST_USER:
        yield f"runAsUserName's User length must not be longer than {_LONGEST_USER} characters"
    if _DOTS_AND_SPACES.fullmatch(user):
        yield "runAsUserName's User cannot contain only periods or spaces"
    if _BAD_CHARACTERS.search(user):
        yield "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]"
