"""`ssh`: all pods of a Job can log in to each other without a password (docs/design/volcano-behaviour.md, section 4.3).

The key pair stays until the Job has ended and never rotates under running pods; only the config file follows its scale
(docs/design/decisions.md, row 6).
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import ClassVar, Final

from controller.plugin_api import (
    KeyPair,
    OwnedObject,
    PluginContext,
    PluginJob,
    PodSlot,
    map_containers,
    owned_object,
    with_mount,
    with_volume,
)
from shared.kinds import SECRET
from shared.model.types import Body
from shared.plugins.arguments import SshArguments

PRIVATE, PUBLIC, AUTHORIZED, CONFIG = "id_rsa", "id_rsa.pub", "authorized_keys", "config"
FOLDER: Final = ".ssh"
ROOT_FOLDER: Final = "/root/.ssh"
_HEADER: Final = "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n"


class SshPlugin:
    name: ClassVar[str] = "ssh"

    def shape(self, pod: Body, slot: PodSlot, job: PluginJob, args: SshArguments) -> Body:
        secret = f"{job.name}-ssh"
        # sshd refuses root's keys when others can read them; other users could not read a file of mode 0600.
        mode = 0o600 if args.ssh_key_file_path == ROOT_FOLDER else 0o644
        items = [{"key": key, "path": f"{FOLDER}/{key}"} for key in (PRIVATE, PUBLIC, AUTHORIZED, CONFIG)]
        volume = {"name": secret, "secret": {"secretName": secret, "items": items, "defaultMode": mode}}
        mount = {"name": secret, "mountPath": args.ssh_key_file_path, "subPath": FOLDER}
        return map_containers(with_volume(pod, volume), lambda container: with_mount(container, mount))

    def needs_keypair(self, job: PluginJob, args: SshArguments, existing: Mapping[str, Body]) -> bool:
        return not args.ssh_private_key and _kept(job, existing) is None

    def objects(self, job: PluginJob, args: SshArguments, context: PluginContext) -> tuple[OwnedObject, ...]:
        """The Secret, unless there is no key yet: neither stored, given by the user, nor generated."""
        keys = _kept(job, context.existing) or _users(args) or context.keypair
        if keys is None:
            return ()
        content = {
            PRIVATE: keys.private,
            PUBLIC: keys.public,
            AUTHORIZED: keys.public,
            CONFIG: _config(job, args.ssh_port),
        }
        data = {key: b64encode(text.encode()).decode() for key, text in content.items()}
        return (owned_object(job, SECRET, f"{job.name}-ssh", follows=("data",), type="Opaque", data=data),)


def _users(args: SshArguments) -> KeyPair | None:
    if not args.ssh_private_key:
        return None
    return KeyPair(args.ssh_private_key, args.ssh_public_key or _public_half(args.ssh_private_key))


def _public_half(private: str) -> str:
    """The line for authorized_keys, or "" for a key that cannot be read: pods could not log in without it."""
    from cryptography.exceptions import UnsupportedAlgorithm  # a large library, which few Jobs need
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(private.encode(), password=None)
        line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return ""
    return line.decode()


def _kept(job: PluginJob, existing: Mapping[str, Body]) -> KeyPair | None:
    data = existing.get(f"Secret/{job.name}-ssh", {}).get("data") or {}
    if PRIVATE not in data:
        return None
    return KeyPair(_text(data[PRIVATE]), _text(data.get(PUBLIC, "")))


def _text(encoded: str) -> str:
    return b64decode(encoded).decode(errors="replace")


def _config(job: PluginJob, port: int) -> str:
    """Each host under both of its names: host files and variables use the long one, and the port is needed for it too."""
    hosts = (host for task in job.tasks for host in job.hosts(task))
    return _HEADER + "".join(
        f"Host {host.hostname} {host.domain}\n  HostName {host.domain}\n  Port {port}\n" for host in hosts
    )
