"""Unusual values that work are accepted."""

from pathlib import Path

import pytest
import yaml

from shared.model.types import Body
from tests.helm.chart import CHART, run

RIGHT: dict[str, Body] = {
    "no resources": {"webhook": {"resources": None}},
    "no limits": {"controller": {"resources": {"limits": None}}},
    "no limit of memory": {"controller": {"resources": {"limits": {"memory": None}}}},
    "amounts as numbers": {"webhook": {"resources": {"limits": {"memory": 1073741824, "cpu": 1.5}}}},
    "the same amount in other units": {
        "webhook": {"resources": {"requests": {"memory": "1024Mi"}, "limits": {"memory": "1Gi"}}}
    },
    "exponents": {"webhook": {"resources": {"requests": {"memory": "128e6"}, "limits": {"memory": "1e9"}}}},
    "a device": {"controller": {"resources": {"requests": {"a.b/c": 1}, "limits": {"a.b/c": "1"}}}},
    "nothing in lists": {"controller": {"watchNamespaces": None}, "commonLabels": None, "priorityClassName": None},
    "a budget of one webhook": {"webhook": {"replicas": 1, "podDisruptionBudget": {"minAvailable": 1}}},
    "half of the replicas": {"webhook": {"podDisruptionBudget": {"minAvailable": "50%"}}},
    "a registry with a port": {"imageRegistry": "10.0.0.1:5000/mirror_a/b--c"},
    "an argument of the process": {"webhook": {"extraArgs": ["--drain-seconds=9"]}},
    "a network of IPv6": {"networkPolicy": {"enabled": True, "webhookFrom": [{"ipBlock": {"cidr": "fd00::/8"}}]}},
    "everything about placement": {
        "webhook": {
            "tolerations": [{"operator": "Exists"}, {"key": "a/b", "effect": "NoExecute", "tolerationSeconds": 5}],
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]
                    }
                },
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 1,
                            "podAffinityTerm": {
                                "topologyKey": "zone",
                                "labelSelector": {"matchLabels": {"a": "b"}},
                            },
                        }
                    ]
                },
            },
        }
    },
}


@pytest.mark.parametrize("case", RIGHT)
@pytest.mark.parametrize("tool", ["helm", "helm3"])
def test_unusual_values_are_accepted(case: str, tool: str, tmp_path: Path) -> None:
    """From a file, in which large numbers reach the templates as floats."""
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump({"crds": {"install": False}, **RIGHT[case]}))
    assert run("template", "jobflow", str(CHART), f"--values={file}", tool=tool)
