"""An in-memory Kubernetes API server for tests and local development, with admission webhooks and fault injection.

`python -m local.apiserver --dir DIR` runs it as a process; `async with ApiServer.start() as server` inside one.
`testing` lists what tests can set and read, `faults` which faults can be injected.

Known differences from kube-apiserver:

- managedFields are kept from an object's first server-side apply on, for all objects only with `--managed-fields`;
  fields that a webhook sets have no manager.
- Deployments, Jobs and other workloads of Kubernetes itself are stored, but no controller runs them.
- Quotas count objects, not resources; limit ranges, admission policies and pod security levels are stored only.
- A pod gets no volume with its service account's token. Disruption budgets do not stop evictions.
- Privilege escalation by granting roles is not prevented; RBAC is enforced only with `--rbac`.
- The cost of CEL rules is not estimated; a kind is served as soon as its CRD is stored.
- Protobuf is read for the kinds that kubectl's own commands make (see `protobuf`), and never written.
"""

from local.apiserver.core import ServerOptions, ServerState
from local.apiserver.faults import InjectedFault
from local.apiserver.server import ApiServer

__all__ = ["ApiServer", "InjectedFault", "ServerOptions", "ServerState"]
