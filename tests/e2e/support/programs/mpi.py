"""The launcher or a worker of an MPI Job: can mpiexec find the workers, and ssh log in to them?"""

import os
import re
import sys
from collections.abc import Iterator

from cryptography.hazmat.primitives import serialization
from faults import ROOT, end, hosts

SSH = ROOT / "root/.ssh"


def launcher() -> Iterator[str]:
    workers = hosts("worker")
    print(f"launching on {workers}")
    if os.environ["MPI_HOST"].split(",") != workers:
        yield f"MPI_HOST is {os.environ['MPI_HOST']}, the workers are {workers}"
    lines = (ROOT / "etc/volcano/mpi.host").read_text().splitlines()
    if lines != [f"{worker} slots=2" for worker in workers]:
        yield f"the host file says {lines}"
    for worker in workers:
        yield from _host(worker)
    yield from keys()


def _host(worker: str) -> Iterator[str]:
    """ssh's config knows the worker by both its names, and at which port its sshd listens."""
    short = worker.partition(".")[0]
    wanted = rf"^Host {re.escape(short)} {re.escape(worker)}\n  HostName {re.escape(worker)}\n  Port 2022$"
    if not re.search(wanted, (SSH / "config").read_text(), re.MULTILINE):
        yield f"ssh's config has no {short}, port 2022: {(SSH / 'config').read_text()}"


def keys() -> Iterator[str]:
    """One key pair for all, readable by its owner alone, else ssh would not use it."""
    private = serialization.load_pem_private_key((SSH / "id_rsa").read_bytes(), None)
    form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    public = private.public_key().public_bytes(*form).decode().split()[:2]
    for name in ("id_rsa.pub", "authorized_keys"):
        if (SSH / name).read_text().split()[:2] != public:
            yield f"{name} is not the public half of id_rsa"
    if (SSH / "id_rsa").stat().st_mode & 0o077:
        yield f"id_rsa has mode {oct((SSH / 'id_rsa').stat().st_mode)}"
    if "StrictHostKeyChecking no" not in (SSH / "config").read_text():
        yield "ssh would ask whether the host is known"


end(launcher() if sys.argv[1] == "launcher" else keys())
