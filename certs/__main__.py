"""`python -m certs`: issue, inspect and rotate the webhook's certificates by hand."""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from certs import files, inspect, plan
from certs.keeper import CertificateKeeper
from certs.material import to_secret
from certs.release import (
    ReleaseNames,
    ReleaseNotFound,
    check_rights,
    check_trust,
    find_certificates,
    find_material,
)
from certs.service_names import service_names
from shared.kube.client import connect
from shared.kube.client.api import Api
from shared.kube.client.errors import ApiError
from shared.kube.client.transport import Transport


def clock() -> datetime:
    """The wall clock; this module and the webhook's main are where certificates learn the time."""
    return datetime.now(UTC)  # noqa: TID251 - composition root


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    issue = verbs.add_parser("issue", help="issue a CA and a serving certificate, as files or as a Secret on stdout")
    issue.add_argument("--out", type=Path, help="write ca.crt, tls.crt and tls.key into this folder")
    issue.add_argument("--name", action="append", default=[], help="a further DNS name or IP address; may be repeated")
    issue.add_argument("--service", default="jobflow-webhook", help="name of the webhook's Service")
    issue.add_argument("--namespace", default="jobflow-system", help="namespace of the Service")
    issue.add_argument("--secret", default="jobflow-webhook-certs", help="name of the printed Secret")
    show = verbs.add_parser("inspect", help="show the stored certificates of a release")
    show.add_argument("-o", "--output", choices=["text", "json"], default="text")
    rotate = verbs.add_parser("rotate", help="replace the CA of a release without a failed request")
    for verb in (show, rotate):
        verb.add_argument("--namespace", default="jobflow-system", help="namespace of the release")
        verb.add_argument("--release", default="", help="name of the Helm release (default: the one in the namespace)")
        verb.add_argument("--service", default="", help="name of the webhook's Service (default: found by labels)")
        verb.add_argument("--secret", default="", help="name of the Secret (default: found by labels)")
        verb.add_argument(
            "--webhook-configuration",
            action="append",
            default=[],
            help="name of the webhook configurations (default: found by labels); may be repeated",
        )
        verb.add_argument("--kubeconfig", default="")
        verb.add_argument("--context", default="")
    return parser


def issue(options: argparse.Namespace) -> int:
    names = service_names(options.service, options.namespace, tuple(options.name))
    material = plan.apply_step(plan.RotationStep.ISSUE_ALL, None, names, clock())
    if options.out:
        files.write(material, options.out)
        sys.stderr.write(f"ca.crt, tls.crt and tls.key are in {options.out}\n")
    else:
        json.dump(to_secret(material, options.namespace, options.secret), sys.stdout, indent=2)
    return 0


async def show(options: argparse.Namespace) -> int:
    async with Api(Transport(await connect.load(options.kubeconfig, options.context))) as api:
        material = await find_material(api, _names(options))
    description = inspect.describe(material, clock())
    text = json.dumps(description, indent=2) if options.output == "json" else "\n".join(inspect.lines(description))
    sys.stdout.write(text + "\n")
    return 0


async def rotate(options: argparse.Namespace) -> int:
    async with Api(Transport(await connect.load(options.kubeconfig, options.context))) as api:
        found = await find_certificates(api, _names(options))
        await check_trust(api, found)
        await check_rights(api, found)
        kept = await CertificateKeeper(api, found.location, clock).look(rotate=True)
    if not kept.trusted:
        sys.stderr.write(
            "error: the new CA could not be injected into every webhook configuration; run `rotate` again\n"
        )
        return 1
    location, material = found.location, kept.material
    minutes = int(location.settle.total_seconds() // 60)
    later = f"after about {minutes} min" if material.signer != material.authorities[0] else "within a minute"
    sys.stdout.write(
        f"Secret {location.namespace}/{location.secret} and webhook configurations {', '.join(location.configurations)} "
        f"contain {len(material.authorities)} CAs; the running webhook serves a certificate of the newest {later} and "
        f"removes the others after another {minutes} min\n"
    )
    return 0


def _names(options: argparse.Namespace) -> ReleaseNames:
    return ReleaseNames(
        namespace=options.namespace,
        release=options.release,
        service=options.service,
        secret=options.secret,
        configurations=tuple(options.webhook_configuration),
    )


def main(argv: list[str] | None = None) -> int:
    options = arguments().parse_args(argv)
    if options.verb == "issue":
        return issue(options)
    try:
        return asyncio.run(show(options) if options.verb == "inspect" else rotate(options))
    except (ApiError, ReleaseNotFound, connect.NoCluster) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
