import asyncio
import base64
import os
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from certs.issue import issue_serving, new_authority
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


async def test_credentials_in_the_file_need_no_client_library(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from shared.kube.client import connect\n"
        f"access = asyncio.run(connect.load({kubeconfig(tmp_path, {'token': 'secret'})!r}))\n"
        "assert 'kubernetes' not in sys.modules\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0


def write_config(path: Path, config: dict[str, object]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config))
    return str(path)


def one_user(user: dict[str, object] | None, cluster: dict[str, object]) -> dict[str, object]:
    return {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u" if user is not None else ""}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}] if user is not None else None,
    }


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


PLAIN = {"server": "http://here:1"}
HEADERS: dict[str, tuple[dict[str, object] | None, str]] = {
    "a token": ({"token": "t"}, "Bearer t"),
    "a password": ({"username": "me", "password": "pa:ss"}, "Basic bWU6cGE6c3M="),
    "a user without credentials": ({}, ""),
    "no user": (None, ""),
    "an empty plugin": ({"token": "t", "exec": None, "auth-provider": None}, "Bearer t"),
}


@pytest.mark.parametrize(("user", "header"), HEADERS.values(), ids=HEADERS.keys())
async def test_the_header_follows_from_the_user(user: dict[str, object] | None, header: str, tmp_path: Path) -> None:
    access = await connect.load(write_config(tmp_path / "config", one_user(user, PLAIN)))
    assert await access.authorization() == header


async def test_the_first_of_several_files_wins_and_paths_are_relative_to_the_file_that_has_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "token").write_text("of a")
    first = write_config(
        tmp_path / "a" / "config", {"current-context": "x", "users": [{"name": "u", "user": {"tokenFile": "token"}}]}
    )
    second = write_config(tmp_path / "b" / "config", one_user({"token": "of b"}, PLAIN) | {"current-context": "y"})
    access = await connect.load(os.pathsep.join((first, second, str(tmp_path / "absent"))))
    assert (access.host, await access.authorization()) == ("http://here:1", "Bearer of a")


async def test_certificates_may_be_files_or_texts(tmp_path: Path) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    authority = new_authority("test", now)
    certificate = issue_serving(authority, ("client",), now)
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    (tmp_path / "cert.pem").write_bytes(certificate.certificate)
    (tmp_path / "key.pem").write_bytes(certificate.key)
    files = write_config(
        tmp_path / "files",
        one_user(
            {"client-certificate": "cert.pem", "client-key": "key.pem"},
            {"server": "https://here", "certificate-authority": "ca.pem", "tls-server-name": "other"},
        ),
    )
    texts = write_config(
        tmp_path / "texts",
        one_user(
            {"client-certificate-data": encoded(certificate.certificate), "client-key-data": encoded(certificate.key)},
            {"server": "https://here", "certificate-authority-data": encoded(authority.certificate)},
        ),
    )
    assert (await connect.load(files)).server_name == "other"
    for path in (files, texts):
        tls = (await connect.load(path)).tls
        assert tls is not None
        assert len(tls.get_ca_certs()) == 1


async def test_certificates_may_be_texts_where_python_has_no_files_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pythons that are built for old versions of glibc do not have them."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    pair = issue_serving(new_authority("test", now), ("client",), now)
    user = {"client-certificate-data": encoded(pair.certificate), "client-key-data": encoded(pair.key)}
    assert (await connect.load(write_config(tmp_path / "config", one_user(user, {"server": "https://here"})))).tls


async def test_the_server_is_not_verified_only_when_the_file_says_so(tmp_path: Path) -> None:
    cluster = {"server": "https://here", "insecure-skip-tls-verify": True}
    tls = (await connect.load(write_config(tmp_path / "config", one_user({}, cluster)))).tls
    assert tls is not None
    assert not tls.check_hostname


async def test_a_file_that_is_being_rewritten_leaves_the_credentials_in_use(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, {"token": "first"})
    access = await connect.load(path)
    write_config(Path(path), {"contexts": 1})
    assert await access.authorization(renew=True) == "Bearer first"
    kubeconfig(tmp_path, {"token": "second"})
    assert await access.authorization(renew=True) == "Bearer second"


BAD: dict[str, tuple[object, str]] = {
    "empty": (None, "no clusters, contexts and users"),
    "no mapping": ([1], "Expected `object`, got `array`"),
    "a number as a token": (one_user({"token": 5}, PLAIN), r"Expected `str \| null`, got `int`.*users\[0\].user.token"),
    "an unknown cluster": (one_user({}, PLAIN) | {"clusters": []}, 'cluster "c" is not in it .known: none'),
    "an unknown user": (one_user({}, PLAIN) | {"users": []}, 'user "u" is not in it'),
    "no server": (one_user({}, {}), 'cluster "c" has no server'),
    "no context in use": (one_user({}, PLAIN) | {"current-context": ""}, "no current-context"),
    "an authority that is not base64": (
        one_user({}, {"server": "https://x", "certificate-authority-data": "%"}),
        "certificate-authority-data|PEM",
    ),
    "an authority that is not PEM": (
        one_user({}, {"server": "https://x", "certificate-authority-data": encoded(b"x")}),
        "(?i)pem|cert",
    ),
    "a token file that is not there": (one_user({"tokenFile": "absent"}, PLAIN), "absent"),
}


@pytest.mark.parametrize(("config", "message"), BAD.values(), ids=BAD.keys())
async def test_a_bad_kubeconfig_is_an_error_that_names_the_file_and_the_fault(
    config: object, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    with pytest.raises(connect.NoCluster, match=message) as caught:
        await connect.load(str(path))
    assert str(path) in str(caught.value)
