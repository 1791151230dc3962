"""The objects in a text, each with the positions of its fields. Pure."""

from collections.abc import Iterator

import msgspec

from shared.model.types import Body
from webhook.lint.places import Broken, Place
from webhook.lint.yaml_lines import Document, YamlFault, documents


class Manifest(msgspec.Struct, frozen=True):
    """An object and its file. `path`: its position in the document, for items of a List."""

    file: str
    document: Document

    @property
    def body(self) -> Body:
        body: Body = self.document.body
        return body

    def place(self, path: str) -> Place:
        return self.document.place(path)


def manifests(file: str, text: str) -> Iterator[Manifest | Broken]:
    """The objects in a text, with the items of Lists as objects of their own; stops at a syntax error. `file`: the name
    in findings."""
    try:
        for document in documents(text):
            if isinstance(document, YamlFault):
                yield Broken(file, document.place, document.message)
                continue
            for fault in document.faults:
                yield Broken(file, fault.place, fault.message)
            yield from _objects(file, document)
    except YamlFault as fault:
        yield Broken(file, fault.place, fault.message)


def _objects(file: str, document: Document) -> Iterator[Manifest | Broken]:
    body = document.body
    if not isinstance(body, dict):
        yield Broken(file, document.place(""), "must be an object with apiVersion, kind, metadata and spec")
    elif str(body.get("kind")).endswith("List") and isinstance(body.get("items"), list):
        for index in range(len(body["items"])):
            yield from _objects(file, document.item(index))
    else:
        yield Manifest(file, document)
