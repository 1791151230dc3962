"""`python -m release VERSION` builds everything that users install, from the last commit, into dist/.

`make release VERSION=1.2.3` runs it. Two builds of one commit give equal bytes: all files carry the time of the commit, or
that of SOURCE_DATE_EPOCH. Needs git; helm is taken from PATH or the package registry.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from release import chart, krew, manifests, notes, sbom, source, versions
from release.chart import Publication


class BuildError(RuntimeError):
    """The build backend failed; the message is what it printed."""


ERRORS: Final = (BuildError, versions.VersionError, source.SourceError, manifests.ManifestError, sbom.SbomError)
_BUILD: Final = "import sys; from release import backend; print(getattr(backend, sys.argv[1])(sys.argv[2]))"


def build(root: Path, version: str, target: Path, publication: Publication) -> None:
    """Write all files of the release into `target`, which is emptied first. `root`: a copy of the commit's files."""
    versions.stamp(root, version)
    changes = notes.entries((root / "CHANGELOG.md").read_text(), version)
    chart.annotate(root, version, changes, publication)
    chart.point_at_images(root, publication)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for hook in ("build_sdist", "build_wheel"):
        command = [sys.executable, "-c", _BUILD, hook, str(target)]
        ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise BuildError(f"{hook}: {ran.stderr}")
    packed = target / f"jobflow-chart-{version}.tgz"
    packed.write_bytes(chart.packed(root))
    (target / "install.yaml").write_text(manifests.install(packed, version))
    (target / "crds.yaml").write_text(manifests.crds(root))
    for component, bill in sbom.bills(root, chart.components(root), version).items():
        (target / f"jobflow-{component}-{version}.cdx.json").write_text(bill)
    lock = Path(shutil.copyfile(root / sbom.LOCK, target / "requirements.lock"))
    plugin = target / f"kubectl-jobflow-{version}.tar.gz"
    plugin.write_bytes(krew.archive_of(root, next(target.glob("*.whl")), lock))
    (target / "jobflow.krew.yaml").write_text(krew.manifest(plugin, version, publication))
    (target / "RELEASE_NOTES.md").write_text(
        notes.page(version, changes, sorted(each.name for each in target.iterdir()))
    )
    (target / "SHA256SUMS").write_text(checksums(target))


def checksums(folder: Path) -> str:
    """As `sha256sum --check` reads them."""
    found = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in found)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__.partition("\n\n")[0])
    parser.add_argument("version", help="three numbers, e.g. 1.2.3")
    parser.add_argument("--out", type=Path, default=Path("dist"))
    parser.add_argument("--commit", default="HEAD")
    parser.add_argument("--registry", default="", help="prefix of the images, e.g. registry.example.com/batch")
    parser.add_argument(
        "--digest", action="append", default=[], metavar="COMPONENT=sha256:...", help="of a pushed image"
    )
    parser.add_argument("--url", default="", help="of the repository, for links")
    parser.add_argument(
        "--files-url", default="", help="of the folder from which the files are downloaded, for Krew's manifest"
    )
    options = parser.parse_args(argv)
    publication = Publication(
        options.registry, dict(each.split("=", 1) for each in options.digest), options.url, options.files_url
    )
    try:
        versions.check(options.version)
        with tempfile.TemporaryDirectory() as folder:
            commit = source.check_out(Path.cwd(), options.commit, Path(folder))
            os.environ.setdefault("SOURCE_DATE_EPOCH", str(commit.time))
            build(Path(folder), options.version, options.out.absolute(), publication)
        if left_out := source.uncommitted(Path.cwd()):
            print(f"not in the release, as it is not committed: {', '.join(left_out)}", file=sys.stderr)
    except ERRORS as error:
        print(error, file=sys.stderr)
        return 1
    print((options.out / "SHA256SUMS").read_text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
