import pytest

from controller.settings import OPTIONS, Settings, SettingsError, parse, variable

CASES: dict[str, tuple[list[str], dict[str, str], Settings]] = {
    "defaults": ([], {}, Settings()),
    "the Pod's namespace holds the lease": ([], {"POD_NAMESPACE": "jf"}, Settings(namespace="jf")),
    "an argument beats the Pod's namespace": (["--namespace=x"], {"POD_NAMESPACE": "jf"}, Settings(namespace="x")),
    "an environment variable": ([], {"JOBFLOW_WORKERS": "7"}, Settings(workers=7)),
    "an argument beats the environment": (["--workers", "8"], {"JOBFLOW_WORKERS": "7"}, Settings(workers=8)),
    "a switch off": (["--no-leader-elect"], {}, Settings(leader_elect=False)),
    "a switch off by the environment": ([], {"JOBFLOW_JOB_CONTROLLER": "false"}, Settings(job_controller=False)),
    "a switch on again": (["--leader-elect"], {"JOBFLOW_LEADER_ELECT": "0"}, Settings()),
    "lists": (
        ["--watch-namespaces=a, b,", "--scheduler-names", "volcano,other"],
        {},
        Settings(watch_namespaces=("a", "b"), scheduler_names=("volcano", "other")),
    ),
    "an empty list is everything": ([], {"JOBFLOW_WATCH_NAMESPACES": ""}, Settings()),
    "numbers": (["--qps=2.5", "--scan-interval=0"], {}, Settings(qps=2.5, scan_interval=0)),
    "choices": (
        ["--gang-backend=gate", "--depends-on-condition=Ready"],
        {},
        Settings(gang_backend="gate", depends_on_condition="Ready"),
    ),
}


@pytest.mark.parametrize(("argv", "environ", "want"), CASES.values(), ids=CASES.keys())
def test_settings_from(argv: list[str], environ: dict[str, str], want: Settings) -> None:
    assert parse(argv, environ) == want


WRONG: dict[str, tuple[list[str], dict[str, str], str]] = {
    "an unknown argument": (["--wrokers=1"], {}, "--wrokers"),
    "too few workers": (["--workers=0"], {}, "--workers: 0 is less than 1"),
    "no number": ([], {"JOBFLOW_QPS": "many"}, "--qps"),
    "no such choice": (["--gang-backend=magic"], {}, "magic"),
    "neither true nor false": ([], {"JOBFLOW_LEADER_ELECT": "maybe"}, "JOBFLOW_LEADER_ELECT: 'maybe'"),
    "a choice in the environment": ([], {"JOBFLOW_LOG_LEVEL": "loud"}, "loud"),
}


@pytest.mark.parametrize(("argv", "environ", "message"), WRONG.values(), ids=WRONG.keys())
def test_refused(argv: list[str], environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse(argv, environ)


def test_every_setting_can_be_given_and_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(OPTIONS) == set(Settings.__struct_fields__)
    with pytest.raises(SystemExit):
        parse(["--help"], {})
    text = capsys.readouterr().out
    assert not [name for name in OPTIONS if variable(name) not in text]
