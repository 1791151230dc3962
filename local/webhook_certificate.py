"""The certificate of a local cluster's webhook."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from certs.issue import issue_serving, new_authority

NAME: Final = "jobflow-local"  # of both webhook configurations


def issue(folder: Path, host: str) -> bytes:
    """Write tls.crt and tls.key for `host` into `folder`; the CA bundle to trust them by."""
    now = datetime.now(UTC)  # noqa: TID251 - certificates of a cluster that lives for minutes
    authority = new_authority("jobflow-local", now)
    pair = issue_serving(authority, (host, "localhost", "127.0.0.1"), now)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tls.crt").write_bytes(pair.certificate)
    (folder / "tls.key").write_bytes(pair.key)
    return authority.certificate
