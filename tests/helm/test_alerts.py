"""Every alert fires on its fault and not otherwise, by promtool's unit tests of the rendered rules.

promtool is in Debian's package `prometheus`. The other series come from components that export metrics of the same names.
"""

import subprocess
from pathlib import Path

import pytest
import yaml

from local.client import binaries
from shared.model.types import Body
from tests.helm.chart import of, render

NAMESPACE, RELEASE = "batch-system", "flows"
NAMES = {"batch": {"fullnameOverride": "batch"}, "flows-jobflow": {}}


def labels(component: str, name: str) -> str:
    return f'namespace="{NAMESPACE}",service="{name}-{component}"'


def healthy(name: str) -> dict[str, str]:
    """Series of a healthy release, with values a minute apart (`value+step x count`)."""
    webhook, controller = labels("webhook", name), labels("controller", name)
    year = 365 * 86400
    return {
        f'leader_election_master_status{{{controller},pod="a",name="{name}-controller"}}': "1x240",
        f'leader_election_master_status{{{controller},pod="b",name="{name}-controller"}}': "0x240",
        f'jobflow_webhook_ready{{{webhook},pod="a"}}': "1x240",
        f'jobflow_webhook_ready{{{webhook},pod="b"}}': "0x240",
        f"jobflow_webhook_certificate_expiry_timestamp_seconds{{{webhook}}}": f"{year}x240",
        f'jobflow_admission_duration_seconds_bucket{{{webhook},le="0.1"}}': "0+60x240",
        f'jobflow_admission_duration_seconds_bucket{{{webhook},le="1"}}': "0+60x240",
        f'jobflow_admission_duration_seconds_bucket{{{webhook},le="5"}}': "0+60x240",
        f'jobflow_admission_duration_seconds_bucket{{{webhook},le="+Inf"}}': "0+60x240",
        f'jobflow_admission_reviews_total{{{webhook},verdict="allowed"}}': "0+60x240",
        f'jobflow_admission_reviews_total{{{webhook},verdict="failed"}}': "0x240",
        f'controller_runtime_reconcile_errors_total{{{controller},controller="jobs"}}': "0+1x240",
        f'controller_runtime_reconcile_panics_total{{{controller},controller="jobs"}}': "0x240",
        f'workqueue_depth{{{controller},name="jobs"}}': "10x240",
        f'jobflow_schedules{{{controller},kind="CronJobFlow",state="NotReady"}}': "0x240",
        f'jobflow_schedule_missed_total{{{controller},kind="CronJobFlow"}}': "3x240",
        f'jobflow_schedule_lag_seconds_bucket{{{controller},kind="CronJob",le="2"}}': "0+60x240",
        f'jobflow_schedule_lag_seconds_bucket{{{controller},kind="CronJob",le="60"}}': "0+60x240",
        f'jobflow_schedule_lag_seconds_bucket{{{controller},kind="CronJob",le="300"}}': "0+60x240",
        f'jobflow_schedule_lag_seconds_bucket{{{controller},kind="CronJob",le="+Inf"}}': "0+60x240",
    }


# Components of the cluster and another release, all unhealthy, and a leader of kube-controller-manager.
OTHERS: dict[str, str] = {
    'leader_election_master_status{namespace="kube-system",service="kubelet",name="kube-controller-manager"}': "1x240",
    'leader_election_master_status{namespace="jobflow-system",service="jobflow-controller",name="jobflow-controller"}': "1x240",
    'jobflow_webhook_ready{namespace="jobflow-system",service="jobflow-webhook"}': "1x240",
    'jobflow_webhook_certificate_expiry_timestamp_seconds{namespace="jobflow-system",service="jobflow-webhook"}': "60x240",
    'jobflow_admission_reviews_total{namespace="jobflow-system",service="jobflow-webhook",verdict="failed"}': "0+60x240",
    'controller_runtime_reconcile_errors_total{namespace="other",service="other",controller="jobs"}': "0+600x240",
    'controller_runtime_reconcile_panics_total{namespace="other",service="other",controller="jobs"}': "0+5x240",
    'workqueue_depth{namespace="kube-system",service="kubelet",name="jobs"}': "5000x240",
    'jobflow_schedules{namespace="jobflow-system",service="jobflow-controller",kind="CronJob",state="NotReady"}': "4x240",
    'jobflow_schedule_missed_total{namespace="jobflow-system",service="jobflow-controller",kind="CronJob"}': "0+1x240",
}
# Changed series by the alert that must fire; None: the series is missing.
FAULTS: dict[str, dict[str, str | None]] = {
    "JobflowNoLeader": {
        'leader_election_master_status{CONTROLLER,pod="a",name="NAME-controller"}': "1x10 0x230",
    },
    "JobflowNoLeader (no controller runs)": {
        'leader_election_master_status{CONTROLLER,pod="a",name="NAME-controller"}': None,
        'leader_election_master_status{CONTROLLER,pod="b",name="NAME-controller"}': None,
    },
    "JobflowWebhookDown": {'jobflow_webhook_ready{WEBHOOK,pod="a"}': "1x200 0x40"},
    "JobflowWebhookDown (no webhook runs)": {
        'jobflow_webhook_ready{WEBHOOK,pod="a"}': None,
        'jobflow_webhook_ready{WEBHOOK,pod="b"}': None,
    },
    "JobflowCertificateExpires": {
        "jobflow_webhook_certificate_expiry_timestamp_seconds{WEBHOOK}": f"{29 * 86400}x240",
    },
    "JobflowAdmissionSlow": {
        'jobflow_admission_duration_seconds_bucket{WEBHOOK,le="0.1"}': "0+50x240",
        'jobflow_admission_duration_seconds_bucket{WEBHOOK,le="1"}': "0+50x240",
    },
    "JobflowAdmissionFails": {'jobflow_admission_reviews_total{WEBHOOK,verdict="failed"}': "0+1x240"},
    "JobflowReconcileErrors": {
        'controller_runtime_reconcile_errors_total{CONTROLLER,controller="jobs"}': "0+60x240",
    },
    "JobflowReconcilePanics": {
        'controller_runtime_reconcile_panics_total{CONTROLLER,controller="jobs"}': "0x200 1x40",
    },
    "JobflowQueueGrows": {'workqueue_depth{CONTROLLER,name="jobs"}': "2000x240"},
    "JobflowScheduleNotReady": {'jobflow_schedules{CONTROLLER,kind="CronJobFlow",state="NotReady"}': "1x240"},
    "JobflowScheduleMissed": {'jobflow_schedule_missed_total{CONTROLLER,kind="CronJobFlow"}': "3x220 4x20"},
    "JobflowScheduleMissed (while no controller ran)": {
        'jobflow_schedule_missed_total{CONTROLLER,kind="CronJobFlow"}': "_x220 3x20",
    },
    "JobflowSchedulesLate": {
        'jobflow_schedule_lag_seconds_bucket{CONTROLLER,kind="CronJob",le="2"}': "0+50x240",
        'jobflow_schedule_lag_seconds_bucket{CONTROLLER,kind="CronJob",le="60"}': "0+50x240",
    },
}

# Changed series with which no alert fires.
HARMLESS: dict[str, dict[str, str | None]] = {
    "a controller that restarts": {
        'jobflow_schedule_missed_total{CONTROLLER,kind="CronJobFlow"}': "3x200 0x40",
        'controller_runtime_reconcile_panics_total{CONTROLLER,controller="jobs"}': "2x200 0x40",
        'controller_runtime_reconcile_errors_total{CONTROLLER,controller="jobs"}': "900x200 0x40",
    },
    "a new controller": {'jobflow_schedule_missed_total{CONTROLLER,kind="CronJobFlow"}': "_x200 0x40"},
    "Prometheus did not run for a while": {
        'jobflow_schedule_missed_total{CONTROLLER,kind="CronJobFlow"}': "3x150 _x40 3x50",
    },
    "another leader": {
        'leader_election_master_status{CONTROLLER,pod="a",name="NAME-controller"}': "1x200 0x40",
        'leader_election_master_status{CONTROLLER,pod="b",name="NAME-controller"}': "0x200 1x40",
    },
    "the other webhook": {
        'jobflow_webhook_ready{WEBHOOK,pod="a"}': "1x200 0x40",
        'jobflow_webhook_ready{WEBHOOK,pod="b"}': "0x199 1x41",
    },
    "no request was admitted yet": {
        'jobflow_admission_reviews_total{WEBHOOK,verdict="failed"}': None,
        'jobflow_admission_duration_seconds_bucket{WEBHOOK,le="0.1"}': None,
        'jobflow_admission_duration_seconds_bucket{WEBHOOK,le="1"}': None,
        'jobflow_admission_duration_seconds_bucket{WEBHOOK,le="5"}': None,
        'jobflow_admission_duration_seconds_bucket{WEBHOOK,le="+Inf"}': None,
    },
}


def rules(name: str) -> Body:
    values = NAMES[name] | {"metrics": {"prometheusRule": {"enabled": True}}}
    spec: Body = of(render(values, release=RELEASE, namespace=NAMESPACE), "PrometheusRule")["spec"]
    return spec


def case(name: str, fault: str, changes: dict[str, str | None]) -> Body:
    """A unit test of promtool: after four hours exactly the alert of `fault` fires, if any."""

    def own(series: str) -> str:
        known = {"WEBHOOK": labels("webhook", name), "CONTROLLER": labels("controller", name), "NAME": name}
        for placeholder, text in known.items():
            series = series.replace(placeholder, text)
        return series

    changed = {own(series): values for series, values in changes.items()}
    series = {**healthy(name), **changed, **OTHERS}
    assert set(changed) <= set(healthy(name))
    expected = fault.partition(" ")[0]
    return {
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in series.items() if values is not None],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "4h",
                "exp_samples": [{"labels": f'{{alertname="{expected}"}}', "value": 1}] if expected else [],
            }
        ],
    }


def promtool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = binaries.find("promtool", download=False)
    assert found is not None, "promtool is not on PATH; it is in Debian's package prometheus"
    return subprocess.run([str(found), *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", ["", *FAULTS])
def test_an_alert_fires_on_its_fault_and_no_other_does(name: str, fault: str, tmp_path: Path) -> None:
    run_case(name, case(name, fault, FAULTS.get(fault, {})), tmp_path)


@pytest.mark.parametrize("change", HARMLESS)
def test_no_alert_fires_on_what_is_no_fault(change: str, tmp_path: Path) -> None:
    run_case("batch", case("batch", "", HARMLESS[change]), tmp_path)


def run_case(name: str, test: Body, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules(name)))
    tests = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests))
    done = promtool(tmp_path, "test", "rules", "tests.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_are_valid(name: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules(name)))
    done = promtool(tmp_path, "check", "rules", "rules.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_fault_that_makes_it_fire() -> None:
    alerts = {rule["alert"] for group in rules("batch")["groups"] for rule in group["rules"]}
    assert alerts == {fault.partition(" ")[0] for fault in FAULTS}


def test_every_expression_names_the_release() -> None:
    for name in NAMES:
        for group in rules(name)["groups"]:
            for rule in group["rules"]:
                assert f'{{namespace="{NAMESPACE}",service="{name}-' in rule["expr"], rule["alert"]
