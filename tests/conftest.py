"""Options of the whole suite: which cluster the scenarios run on, and which tests are repeated on a busy machine."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cluster")
    group.addoption("--backend", default="", help="embedded (default), real (KUBEBUILDER_ASSETS) or kubeconfig")
    group.addoption("--kubeconfig", default="", help="a cluster that is already there")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scenarios with real processes are run again after a failure, and the report says so: an overloaded machine is no
    fault of the code. Pure tests are never repeated."""
    for item in items:
        if item.get_closest_marker("e2e"):
            item.add_marker(pytest.mark.flaky(reruns=1))
