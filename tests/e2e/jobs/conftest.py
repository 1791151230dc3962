"""Clusters whose pods are bound as on a real one."""

import pytest

from local.backends import Backend, RealBackend

BindingBackend = tuple[Backend, list[str]]
"""The backend, and the arguments for the simulated nodes."""


@pytest.fixture(scope="session")
def binding(backend: Backend) -> BindingBackend:
    """On a real control plane kube-scheduler binds pods to nodes, elsewhere the simulated nodes do."""
    if isinstance(backend, RealBackend):
        return RealBackend(backend.assets, scheduler=True), ["--no-scheduler"]
    return backend, []
