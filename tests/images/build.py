"""The stages of a Dockerfile carried out without Docker: the same steps, in a folder that stands for the file system."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from string import Template
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.requirements import entries

_PREFIXES: Final = ("/app", "/src")  # the absolute paths that our Dockerfiles use
_INSTALL: Final = "-m pip install"


@dataclass
class Stage:
    """What one FROM begins."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def values(self, instruction: str) -> list[str]:
        return [said for step, said in self.steps if step == instruction]


def parse(text: str) -> list[Stage]:
    """The stages in order. Raises ValueError for an instruction other than ARG that stands before the first FROM."""
    stages: list[Stage] = []
    arguments: dict[str, str] = {}
    joined = re.sub(r"\\\n\s*", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    for line in filter(None, map(str.strip, joined.splitlines())):
        instruction, _, said = line.partition(" ")
        if instruction == "FROM":
            base, _, name = Template(said).substitute(arguments).partition(" AS ")
            stages.append(Stage(base, name or str(len(stages))))
        elif not stages and instruction == "ARG":
            arguments.update([said.split("=", 1)])
        elif not stages:
            raise ValueError(f"{line}: no stage has begun")
        else:
            stages[-1].steps.append((instruction, said.strip()))
    return stages


class Build:
    """`context`: the repository. The root of each stage is a folder of its own under `scratch`."""

    def __init__(self, context: Path, dockerfile: str, scratch: Path) -> None:
        self.context, self.scratch = context, scratch
        self.stages = parse((context / dockerfile).read_text())
        self.env: dict[str, str] = {}
        self.workdir = "/"
        self.user = ""

    def run(self) -> Path:
        """Carry out every stage; the root of the last one."""
        for stage in self.stages:
            self.root = self.scratch / stage.name
            self.root.mkdir(parents=True)  # below a folder that every user may enter
            self.env, self.workdir, self.user = {}, "/", ""
            for instruction, said in stage.steps:
                getattr(self, f"_{instruction.lower()}")(said)
        return self.root

    @property
    def entrypoint(self) -> list[str]:
        return list(json.loads(self.stages[-1].values("ENTRYPOINT")[-1]))

    def place(self, path: str) -> Path:
        """Where a path of the image is here."""
        absolute = path if path.startswith("/") else f"{self.workdir}/{path}"
        return self.root / absolute.lstrip("/")

    def environment(self) -> dict[str, str]:
        """The variables that ENV sets, with their paths mapped, and the interpreter of this test first on PATH."""
        mapped = {name: self._mapped(value) for name, value in self.env.items()}
        return {"PATH": f"{self._python()}:/usr/bin:/bin", **mapped}

    # --- instructions ---------------------------------------------------------------------------------------------

    def _workdir(self, said: str) -> None:
        self.workdir = said
        self.place(said).mkdir(parents=True, exist_ok=True)

    def _copy(self, said: str) -> None:
        words = said.split()
        source = self.context
        if words[0].startswith("--from="):
            source = self.scratch / words.pop(0).removeprefix("--from=")
        *given, target = words
        for each in given:
            here, there = source / each.lstrip("/"), self.place(target)
            if here.is_dir():
                ignored = shutil.ignore_patterns("__pycache__") if source == self.context else None
                shutil.copytree(here, there, dirs_exist_ok=True, ignore=ignored)
            else:
                there = there / here.name if target.endswith("/") else there
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(here, there)

    def _run(self, said: str) -> None:
        if " pip uninstall " in said:
            return  # the base image's own pip: there is none in a folder
        command = self._mapped(said).replace("compileall -q", "compileall -q -x /lib/")  # libraries take half a minute
        if _INSTALL in command:
            install(command.split(), self.place("."))
            return
        done = subprocess.run(
            ["sh", "-ec", command],
            cwd=self.place("."),
            env=os.environ | self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"RUN {said}\n{done.stdout}{done.stderr}")

    def _env(self, said: str) -> None:
        self.env.update(word.split("=", 1) for word in said.split())

    def _user(self, said: str) -> None:
        self.user = said

    def _label(self, said: str) -> None:
        """Nothing to do in a folder."""

    _arg = _expose = _healthcheck = _entrypoint = _label

    def _mapped(self, text: str) -> str:
        return re.sub(rf"(?<![\w.-])({'|'.join(_PREFIXES)})(?=[/:\s]|$)", lambda found: f"{self.root}{found[1]}", text)

    def _python(self) -> Path:
        """A folder with `python` in it: the real interpreter, not this test's virtualenv with all its packages."""
        folder = self.scratch / "bin"
        folder.mkdir(exist_ok=True)
        link = folder / "python"
        if not link.exists():
            link.symlink_to(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")
        return folder


def set_writable(root: Path, writable: bool) -> None:
    """Everything below, by its modes: readable by all, writable by its owner or by nobody."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or bool(path.stat().st_mode & 0o100)
            path.chmod((0o555 if runs else 0o444) | (0o200 if writable else 0))


def install(command: list[str], directory: Path) -> None:
    """What `pip install --target T --require-hashes --no-deps --requirement R` does, from this virtualenv instead of the
    registry: that takes seconds and needs no network. Raises RuntimeError where R pins another version, gives no hash,
    or leaves out what a package of it requires."""
    target, wanted = (directory / command[command.index(option) + 1] for option in ("--target", "--requirement"))
    pins = dict(pinned(wanted.read_text()))
    for name, pin in pins.items():
        found = metadata.distribution(name)
        if not pin.specifier.contains(found.version):
            raise RuntimeError(f"{name} {found.version} is not what {wanted.name} says: {pin}")
        for requirement in map(Requirement, found.requires or ()):
            applies = not requirement.marker or requirement.marker.evaluate({"extra": ""})
            if applies and canonicalize_name(requirement.name) not in pins:
                raise RuntimeError(f"{wanted.name} leaves out {requirement.name}, which {name} requires")
        _copy_distribution(found, target)


def pinned(lock: str) -> Iterator[tuple[str, Requirement]]:
    """The requirements of a lock file for this platform. Raises RuntimeError for one without a hash."""
    for entry in entries(lock):
        text, _, hashes = entry.replace("\\\n", " ").partition("--hash=")
        if entry.startswith("#") or not text.strip():
            continue
        if not hashes:
            raise RuntimeError(f"{text.strip()} has no hash")
        requirement = Requirement(text.strip())
        if not requirement.marker or requirement.marker.evaluate():
            yield canonicalize_name(requirement.name), requirement


def _copy_distribution(found: metadata.Distribution, target: Path) -> None:
    for file in found.files or ():
        if ".." in file.parts or "__pycache__" in file.parts or _is_old_schema(file.as_posix()):
            continue  # scripts and compiled files
        there = target / file
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), there)


def _is_old_schema(path: str) -> bool:
    """Most of what is installed are schemas of old releases, which a later step deletes: two are enough to show that."""
    return "kubernetes-json-schema/" in path and "/v1.36." not in path
