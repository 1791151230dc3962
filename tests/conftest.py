"""Options of the whole suite: which cluster the scenarios run on, and what a busy machine is forgiven."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cluster")
    group.addoption("--backend", default="", help="embedded (default), real (KUBEBUILDER_ASSETS) or kubeconfig")
    group.addoption("--kubeconfig", default="", help="a cluster that is already there")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scenarios with real processes get a second try, told in the report: a starved machine is no fault of the code.
    Pure tests never do."""
    for item in items:
        if item.get_closest_marker("e2e"):
            item.add_marker(pytest.mark.flaky(reruns=1))
