"""The state in a file, so that a server can restart with the same objects."""

from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from local.apiserver.call import User
from local.apiserver.controllers import crds
from local.apiserver.storage.store import StoreEvent

if TYPE_CHECKING:
    from local.apiserver.core import ServerState


def dump(core: "ServerState") -> bytes:
    objects = [[*gr, entry.obj] for gr, entry in core.store.all()]
    tokens = {token: [user.name, list(user.groups), user.uid] for token, user in core.auth.tokens.items()}
    found = {"rv": core.store.rv, "objects": objects, "tokens": tokens, "services": core.admission.client.services}
    return orjson.dumps({**found, "admin": core.auth.admin_token})


def save(core: "ServerState", path: str | Path) -> None:
    """Replace the file atomically."""
    target = Path(path)
    draft = target.with_suffix(".draft")
    draft.write_bytes(dump(core))
    draft.replace(target)


def load(core: "ServerState", path: str | Path) -> None:
    """Load the file. Watches from older revisions get 410, as after a restart of kube-apiserver."""
    found = orjson.loads(Path(path).read_bytes())
    core.store.rv = found["rv"]
    core.auth.admin_token = found["admin"]
    core.auth.tokens = {token: User(name, tuple(groups), uid) for token, (name, groups, uid) in found["tokens"].items()}
    core.admission.client.services.update(found["services"])
    for group, plural, obj in found["objects"]:
        core.store.load((group, plural), obj)
    for entry in core.store.bucket(crds.CRDS).objects.values():
        crds.serve(core, StoreEvent("MODIFIED", entry.rv, entry, entry))
    core.compact()
