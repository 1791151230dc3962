"""URLs, with the results of Kubernetes' CEL library (Go's url.ParseRequestURI): absolute URLs and absolute paths."""

import re
from typing import Final
from urllib.parse import quote, unquote, unquote_plus

import msgspec

_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):", re.ASCII)
_PORT: Final = re.compile(r"(?::[0-9]*)?", re.ASCII)
_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HOST: Final = re.compile(r"[^\s<>\"{}|\\^`%/?#\[\]@]*")
_PATH_SAFE: Final = "!$&'()*+,;=:@/~-._%"


class Url(msgspec.Struct, frozen=True):
    """`host` includes the port; `path` is escaped."""

    scheme: str
    host: str
    path: str
    query: str

    @property
    def hostname(self) -> str:
        if self.host.startswith("["):
            return self.host[1:].partition("]")[0]
        return self.host.partition(":")[0]

    @property
    def port(self) -> str:
        return self.host.rpartition("]")[2].partition(":")[2]


def parse(text: str) -> Url:
    """Raises ValueError for a text that is neither an absolute URL nor an absolute path."""
    if not text or _CONTROL.search(text):
        raise ValueError(f"{text[:60]!r} is not a URL")
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        raise ValueError(f"{text[:60]!r} is not an absolute URL or path")
    host, path = "", rest
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        host, slash, after = rest[2:].partition("/")
        host, path = _host(host), slash + after
    if _ESCAPE.search(path):
        raise ValueError(f"{text[:60]!r} has an invalid escape")
    return Url((scheme[1] if scheme else "").lower(), host, quote(path, safe=_PATH_SAFE), query)


def is_url(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def query_values(url: Url) -> dict[str, list[str]]:
    """The decoded values by key. Parts with a semicolon or an invalid escape are left out, as by url.Query()."""
    found: dict[str, list[str]] = {}
    for part in url.query.split("&"):
        if not part or ";" in part or _ESCAPE.search(part):
            continue
        key, _, value = part.partition("=")
        found.setdefault(unquote_plus(key), []).append(unquote_plus(value))
    return found


def _host(authority: str) -> str:
    """Without user and password. Raises ValueError."""
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        inner, bracket, port = host.partition("]")
        valid = bool(bracket and _PORT.fullmatch(port)) and "[" not in inner[1:] and not _ESCAPE.search(inner)
    else:
        name, colon, port = host.partition(":")
        valid = bool(_HOST.fullmatch(unquote(name)) and _PORT.fullmatch(colon + port))
    if not valid:
        raise ValueError(f"{authority[:60]!r} is not a host")
    return host
