"""An in-memory Kubernetes API server for tests and laptops: real kubectl, real clients, real webhooks, injected faults."""

from tests.cluster.apiserver.core import Core, Options
from tests.cluster.apiserver.faults import Fault
from tests.cluster.apiserver.server import ApiServer

__all__ = ["ApiServer", "Core", "Fault", "Options"]
