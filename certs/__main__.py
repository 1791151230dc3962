"""`python -m certs`: issue, inspect and rotate the webhook's certificates by hand."""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from certs import files, inspect, plan
from certs.issue import service_names
from certs.keeper import CertificateKeeper, CertificateLocation
from certs.material import from_secret, to_secret
from shared.kinds import SECRET
from shared.kube.client import connect
from shared.kube.client.api import Api
from shared.kube.client.errors import ApiError
from shared.kube.client.transport import Transport


def clock() -> datetime:
    """The wall clock; this module and the webhook's main are where certificates learn the time."""
    return datetime.now(UTC)  # noqa: TID251 - composition root


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m certs", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    issue = verbs.add_parser("issue", help="make a CA and a serving certificate, as files or as a Secret on stdout")
    issue.add_argument("--out", type=Path, help="write ca.crt, tls.crt and tls.key into this folder")
    issue.add_argument("--name", action="append", default=[], help="a further DNS name or IP address; may be repeated")
    show = verbs.add_parser("inspect", help="show the stored certificates")
    show.add_argument("-o", "--output", choices=["text", "json"], default="text")
    rotate = verbs.add_parser("rotate", help="replace the CA, old and new side by side, without a failed request")
    rotate.add_argument("--webhook-configuration", action="append", default=[], help="configuration that must trust it")
    for verb in (issue, show, rotate):
        verb.add_argument("--service", default="jobflow-webhook", help="name of the webhook's Service")
        verb.add_argument("--namespace", default="jobflow-system")
        verb.add_argument("--secret", default="jobflow-webhook-certs")
    for verb in (show, rotate):
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
        material = from_secret(await api.get(SECRET, options.namespace, options.secret))
    if material is None:
        sys.stderr.write(f"secret {options.namespace}/{options.secret} holds no usable certificates\n")
        return 1
    description = inspect.describe(material, clock())
    text = json.dumps(description, indent=2) if options.output == "json" else "\n".join(inspect.lines(description))
    sys.stdout.write(text + "\n")
    return 0


async def rotate(options: argparse.Namespace) -> int:
    names = service_names(options.service, options.namespace)
    place = CertificateLocation(options.namespace, options.secret, names, tuple(options.webhook_configuration))
    async with Api(Transport(await connect.load(options.kubeconfig, options.context))) as api:
        kept = await CertificateKeeper(api, place, clock).look(rotate=True)
    minutes = int(place.settle.total_seconds() // 60)
    sys.stdout.write(
        f"a new CA stands beside the old one ({len(kept.material.authorities)} in the bundle); the running webhook "
        f"serves a certificate of the new one after about {minutes} min and drops the old CA after as much again\n"
    )
    return 0


def main(argv: list[str] | None = None) -> int:
    options = arguments().parse_args(argv)
    if options.verb == "issue":
        return issue(options)
    try:
        return asyncio.run(show(options) if options.verb == "inspect" else rotate(options))
    except (ApiError, connect.NoCluster) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
