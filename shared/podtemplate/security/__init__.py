"""`securityContext` of pods and containers, and the fields that depend on it or on the operating system."""

from shared.podtemplate.security.contexts import container_security, pod_security
from shared.podtemplate.security.host import host_namespaces
from shared.podtemplate.security.operating_system import operating_system

__all__ = ["container_security", "host_namespaces", "operating_system", "pod_security"]
