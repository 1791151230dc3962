import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest
import yaml

from shared.kube.client import connect
from tests.shared.kube.tls import authority_pem


def kubeconfig(folder: Path, user: dict[str, object]) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [
            {"name": "here", "context": {"cluster": "c", "user": "u"}},
            {"name": "there", "context": {"cluster": "d", "user": "u"}},
        ],
        "clusters": [
            {"name": "c", "cluster": {"server": "http://here:1/"}},
            {"name": "d", "cluster": {"server": "http://there:2"}},
        ],
        "users": [{"name": "u", "user": user}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return str(path)


async def test_the_named_context_is_used(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, {"token": "secret"})
    assert (await connect.load(path)).host == "http://here:1"
    assert (await connect.load(path, "there")).host == "http://there:2"
    assert (await connect.load("", "", {"KUBECONFIG": path})).host == "http://here:1"
    assert await (await connect.load(path)).authorization() == "Bearer secret"


async def test_a_token_file_is_read_again_when_the_server_refuses_its_token(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    access = await connect.load(kubeconfig(tmp_path, {"tokenFile": str(token)}))
    assert await access.authorization() == "Bearer first"
    token.write_text("second")
    assert await access.authorization() == "Bearer first"
    assert await access.authorization(renew=True) == "Bearer second"


async def test_a_token_file_is_read_again_every_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    access = await connect.load(kubeconfig(tmp_path, {"tokenFile": str(token)}))
    token.write_text("second")
    monkeypatch.setattr("shared.kube.client.access.REFRESH_SECONDS", -1.0)
    assert await access.authorization() == "Bearer second"


async def test_an_exec_plugin_provides_the_token(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    count = tmp_path / "count"
    plugin.write_text(
        f"#!/bin/sh\necho x >> {count}\n"
        'echo \'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",'
        ' "status": {"token": "\'$(wc -l < ' + str(count) + ")'\"}}'\n"
    )
    plugin.chmod(plugin.stat().st_mode | stat.S_IEXEC)
    user = {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    }
    access = await connect.load(kubeconfig(tmp_path, user))
    assert await access.authorization() == "Bearer 1"
    assert await access.authorization(renew=True) == "Bearer 2"
    assert await access.authorization() == "Bearer 2"


async def test_a_pod_uses_its_service_account_and_its_new_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, authority = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("first")
    authority.write_bytes(authority_pem())
    monkeypatch.setattr(connect, "SERVICE_ACCOUNT", str(tmp_path))
    access = await connect.load("", "", {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"})
    assert access.host == "https://[fd00::1]:443"
    assert access.tls is not None
    assert await access.authorization() == "Bearer first"
    token.write_text("second\n")
    assert await access.authorization(renew=True) == "Bearer second"


async def test_a_pod_does_not_import_the_client_library(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first")
    (tmp_path / "ca.crt").write_bytes(authority_pem())
    program = (
        "import asyncio, sys\n"
        "from shared.kube.client import connect\n"
        f"connect.SERVICE_ACCOUNT = {str(tmp_path)!r}\n"
        "print(asyncio.run(connect.load('', '', {'KUBERNETES_SERVICE_HOST': '10.0.0.1'})).host)\n"
        "assert 'kubernetes' not in sys.modules\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert (process.returncode, output) == (0, b"https://10.0.0.1:443\n")


WRONG = {
    "a file that is not there": ("/nowhere/kubeconfig", "no such file"),
    "nothing at all": ("", "no --kubeconfig"),
}


@pytest.mark.parametrize(("path", "message"), WRONG.values(), ids=WRONG.keys())
async def test_a_missing_cluster_is_an_error(path: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "HOME_KUBECONFIG", "/nowhere/else")
    with pytest.raises(connect.NoCluster, match=message):
        await connect.load(path, "", {key: value for key, value in os.environ.items() if key != "KUBECONFIG"})


async def test_an_unknown_context_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(connect.NoCluster, match="nope"):
        await connect.load(kubeconfig(tmp_path, {}), "nope")
