"""The packaged chart: an archive as `helm package` makes it, with annotations for Artifact Hub."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from release import archive
from release.layout import files

FOLDER: Final = Path("helm/jobflow")
_CHANGES: Final = 40


@dataclass(frozen=True)
class Publication:
    """Where the release is published. `registry`: prefix of the images; `digests`: component -> digest of its image;
    `url`: of the repository, for links; `files_url`: of the folder from which the files of the release are downloaded."""

    registry: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    files_url: str = ""


def components(root: Path) -> list[str]:
    """The parts of the chart that have an image of their own, `jobflow-NAME`: one for each Dockerfile."""
    return sorted(path.name.partition(".")[2] for path in root.glob("Dockerfile.*"))


def annotate(root: Path, version: str, changes: list[str], publication: Publication) -> None:
    """Add to Chart.yaml what Artifact Hub shows: images, kinds, changes, screenshots."""
    path = root / FOLDER / "Chart.yaml"
    chart = yaml.safe_load(path.read_text())
    images = [{"name": f"jobflow-{name}", "image": image(name, version, publication)} for name in components(root)]
    crds = [_described(yaml.safe_load(file.read_text())) for file in files(root / FOLDER / "files/crds")]
    chart["annotations"] = (chart.get("annotations") or {}) | {
        "artifacthub.io/images": _block(images),
        "artifacthub.io/crds": _block(crds),
        "artifacthub.io/crdsExamples": _block(_examples(root)),
        "artifacthub.io/changes": _block(changes[:_CHANGES]),
    }
    if publication.url:
        chart |= {"home": publication.url, "sources": [publication.url]}
        pictures = sorted((root / "docs/images").glob("*.png"))
        shots = [
            {"title": each.stem.replace("-", " "), "url": _raw(publication.url, version, each)} for each in pictures
        ]
        chart["annotations"] |= {"artifacthub.io/screenshots": _block(shots)} if shots else {}
    path.write_text(yaml.dump(chart, Dumper=_Blocks, sort_keys=False, width=120))


def point_at_images(root: Path, publication: Publication) -> None:
    """Make the published images the chart's defaults. Raises ValueError where values.yaml has no such line."""
    path = root / FOLDER / "values.yaml"
    text = path.read_text()
    if publication.registry:
        text = _replaced(text, 'imageRegistry: ""', f"imageRegistry: {json.dumps(publication.registry)}")
    for name, digest in publication.digests.items():
        before = f'repository: jobflow-{name}, tag: "", digest: ""'
        text = _replaced(text, before, before[:-2] + json.dumps(digest))
    path.write_text(text)


def image(name: str, version: str, publication: Publication) -> str:
    """The reference of a component's image, as the chart's templates make it."""
    prefix = f"{publication.registry.rstrip('/')}/" if publication.registry else ""
    digest = publication.digests.get(name)
    return f"{prefix}jobflow-{name}" + (f"@{digest}" if digest else f":{version}")


def packed(root: Path) -> bytes:
    """The archive. `helm package` writes the same files, but with the time at which it runs."""
    folder = root / FOLDER
    return archive.tar_gz(
        {f"jobflow/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in files(folder)}
    )


def _described(crd: dict[str, Any]) -> dict[str, str]:
    version = crd["spec"]["versions"][-1]
    described = version["schema"]["openAPIV3Schema"].get("description", "")
    kind = crd["spec"]["names"]["kind"]
    return {
        "kind": kind,
        "version": version["name"],
        "name": crd["metadata"]["name"],
        "displayName": kind,
        "description": described or kind,
    }


def _examples(root: Path) -> list[dict[str, Any]]:
    """The flow of README.md and its templates."""
    seed = [root / "examples/seed" / name for name in ("jobtemplates.yaml", "jobflow.yaml")]
    return [body for path in seed for body in yaml.safe_load_all(path.read_text())]


def _raw(url: str, version: str, picture: Path) -> str:
    return f"{url.rstrip('/')}/raw/v{version}/docs/images/{picture.name}"


class _Blocks(yaml.SafeDumper):
    """Writes text of several lines as such."""


_Blocks.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def _block(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, width=120)


def _replaced(text: str, before: str, after: str) -> str:
    if before not in text:
        raise ValueError(f"{FOLDER / 'values.yaml'} does not say {before}")
    return text.replace(before, after)
