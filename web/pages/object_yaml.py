"""Objects as YAML, for reading and for download."""

from typing import Final

import yaml
from aiohttp import web

from shared.kinds import CRONJOB, CRONJOBFLOW, JOB, JOBFLOW, JOBFLOWPOLICY, JOBFLOWTEMPLATE, JOBTEMPLATE, QUEUE
from shared.kube.cache.cache import strip
from shared.model.types import Body
from web.context import caller
from web.pages.attachments import attachment

_KINDS: Final = {
    kind.plural: kind
    for kind in (JOBFLOW, JOB, QUEUE, JOBTEMPLATE, JOBFLOWTEMPLATE, JOBFLOWPOLICY, CRONJOB, CRONJOBFLOW)
}


def as_yaml(body: Body) -> str:
    """The object as `kubectl get -o yaml` prints it, without managedFields."""
    return yaml.dump(strip(body), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False, width=120)


async def download(request: web.Request) -> web.StreamResponse:
    """`/yaml/PLURAL/NAMESPACE/NAME`; the namespace of what has none is `-`."""
    where = request.match_info
    kind = _KINDS.get(where["plural"])
    if kind is None:
        raise web.HTTPNotFound
    body = await caller(request).api.get(kind, where["namespace"] if kind.namespaced else "", where["name"])
    headers = attachment(where["name"], "yaml")
    return web.Response(text=as_yaml(body), content_type="application/yaml", headers=headers)
