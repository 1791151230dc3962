"""Content negotiation by the Accept header: objects, Tables, or their metadata only."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from local.apiserver.call import ApiRequest
from local.apiserver.errors import StatusError
from local.apiserver.printing import tables
from local.apiserver.storage.store import StoredObject
from local.apiserver.types.resources import Resource
from local.apiserver.verbs.reads import ListPage
from shared.model.types import Body

_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")


@dataclass(frozen=True)
class OutputFormat:
    """`form`: "" (objects as they are), "Table", or "PartialObjectMetadata"."""

    resource: Resource
    form: str = ""
    include: str = "Metadata"

    @classmethod
    def of(cls, accept: str, call: ApiRequest) -> "OutputFormat":
        """From the first media type that this server supports; 406 if it supports none."""
        include = call.query.get("includeObject") or "Metadata"
        for part in accept.split(",") if accept else ():
            kind, *options = (item.strip() for item in part.split(";"))
            wanted = dict(option.partition("=")[::2] for option in options)
            if kind not in ("application/json", "*/*", "application/*"):
                continue
            form = wanted.get("as", "").removesuffix("List")
            if form in ("Table", "PartialObjectMetadata") and wanted.get("v") == "v1":
                return cls(call.resource, form, include)
            if not form:
                return cls(call.resource)
        if not accept:
            return cls(call.resource)
        message = "only the following media types are accepted: " + ", ".join(_TYPES[:2])
        raise StatusError(406, "NotAcceptable", message)

    def one(self, entry: StoredObject) -> bytes:
        """One object."""
        if self.form == "Table":
            meta = {"resourceVersion": str(entry.rv)}
            return tables.table(self.resource, [entry], meta, self.include)
        if self.form:
            return orjson.dumps(tables.partial(entry))
        return self.resource.encode(entry.body)

    def page(self, page: ListPage) -> bytes:
        """A list; built-in items have no apiVersion and kind, as in kube-apiserver's lists."""
        meta: Body = {"resourceVersion": str(page.rv)}
        if page.token:
            meta["continue"] = page.token
            if page.remaining is not None:
                meta["remainingItemCount"] = page.remaining
        if self.form == "Table":
            return tables.table(self.resource, page.entries, meta, self.include)
        kind, version = self.resource.listed_as, self.resource.api_version
        if self.form:
            kind, version = "PartialObjectMetadataList", "meta.k8s.io/v1"
            items = [orjson.dumps(tables.partial(entry)) for entry in page.entries]
        elif self.resource.custom:
            items = [self.resource.encode(entry.body) for entry in page.entries]
        else:
            items = [entry.body for entry in page.entries]
        head = f'{{"kind":"{kind}","apiVersion":"{version}","metadata":'.encode() + orjson.dumps(meta)
        return head + b',"items":[' + b",".join(items) + b"]}"

    def encoder(self) -> Callable[[StoredObject], bytes]:
        """The encoder of a watch's events: like `one`, but with column definitions only in the first Table."""
        if self.form != "Table":
            return self.one
        headers_sent = False

        def encode(entry: StoredObject) -> bytes:
            nonlocal headers_sent
            headers, headers_sent = not headers_sent, True
            return tables.table(self.resource, [entry], {"resourceVersion": str(entry.rv)}, self.include, headers)

        return encode
