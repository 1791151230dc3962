"""Paths of our own pages, below the base path. Pure."""

from urllib.parse import quote, urlencode


def inside(path: str) -> str:
    """A path on this server, whatever a query or a form says; never another site, as `//elsewhere` would be."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if fine else "/"


def address(*parts: object, **query: object) -> str:
    """`/flows/NAMESPACE/NAME?tab=steps`: every part is one segment, whatever it contains; empty values are left out."""
    path = "/" + "/".join(quote(str(part), safe="") for part in parts)
    given = {key: value for key, value in query.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def address_in(base_path: str, *parts: object, **query: object) -> str:
    """As `address`, with the base path, as links need it."""
    return base_path + address(*parts, **query)


def and_query(path: str, **query: str) -> str:
    """The path with more in its query."""
    head, mark, fragment = path.partition("#")
    return f"{head}{'&' if '?' in head else '?'}{urlencode(query)}{mark}{fragment}"
