"""The recorded results of Kubernetes' CEL functions are those of the API server. Collected with a real backend only."""

import json

from local.cluster import LocalCluster
from tests.shared.expressions.against_apiserver import RECORDED, results


def test_recorded_results_are_those_of_the_api_server(cluster: LocalCluster) -> None:
    assert results(cluster.kube) == json.loads(RECORDED.read_text())
