"""Options of the whole suite: which cluster the scenarios run on."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cluster")
    group.addoption("--backend", default="", help="embedded (default), real (KUBEBUILDER_ASSETS) or kubeconfig")
    group.addoption("--kubeconfig", default="", help="a cluster that is already there")
