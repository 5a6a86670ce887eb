"""The steps of deploy/Dockerfile.pipeline, done in a folder instead of an image: no engine is needed to prove them.

`python tests/support/image.py FOLDER` does all of them, which takes a minute, and leaves the folder to be looked at.
"""

import fnmatch
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy/Dockerfile.pipeline"
# These change the machine's users and the owner of files: a folder of one's own has neither.
OF_THE_IMAGE_ALONE = ("useradd", "chown")


def instructions(path: Path = DOCKERFILE) -> list[tuple[str, str]]:
    """Return (instruction, its arguments) in order, with continued lines joined."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined)]


def arguments(name: str) -> list[str]:
    """Return what follows each instruction of a name."""
    return [rest for found, rest in instructions() if found == name]


def environment() -> dict[str, str]:
    """Return the variables that the image sets."""
    return dict(pair.split("=", 1) for rest in arguments("ENV") for pair in shlex.split(rest))


def command() -> list[str]:
    """Return what a container runs unless it is told otherwise."""
    return [part for name in ("ENTRYPOINT", "CMD") for part in json.loads(arguments(name)[-1])]


def context() -> list[Path]:
    """Return the files that the build may see: those that .dockerignore lets through."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().split("\n") if line and line[0] != "#"]
    kept = [rule[1:] for rule in rules if rule.startswith("!")]
    refused = [rule.removeprefix("**/") for rule in rules if rule.startswith("**/")]
    assert [rule for rule in rules if rule[0] not in "!*"] == [] and rules[0] == "*"
    files = [f for name in kept for f in ((ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name])]
    return [f for f in files if f.is_file() and not any(fnmatch.filter(f.parts, rule) for rule in refused)]


def replay(folder: Path, *, skip: tuple[str, ...] = (), **variables: str) -> None:
    """Do every COPY and RUN in `folder`, which stands for /app, in an environment that has only what the image sets.

    Parameters
    ----------
    skip
        Commands that are left out, besides those which only an image can have.
    variables
        Set besides, such as the ``PATH`` on which the commands are found.
    """
    seen = context()
    inside = environment() | {"ABACO_ROOT": str(folder)} | variables
    for name, rest in instructions():
        if name == "COPY":
            *sources, target = rest.split()
            for source in sources:
                copy(ROOT / source, folder / target, seen)
        elif name == "RUN":
            for step in rest.split("&&"):
                if not step.strip().startswith((*OF_THE_IMAGE_ALONE, *skip)):
                    subprocess.run(step, shell=True, cwd=folder, env=inside, check=True)


def copy(source: Path, target: Path, seen: list[Path]) -> None:
    """Copy a file into a folder, or what a folder holds, as COPY does: only what the build may see."""
    files = [file for file in seen if file.is_relative_to(source)]
    assert files, f"COPY {source}: .dockerignore keeps it out"
    for file in files:
        place = target / (file.relative_to(source) if source.is_dir() else file.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)


if __name__ == "__main__":
    place = Path(sys.argv[1]).absolute()
    subprocess.run([sys.executable, "-m", "venv", place / "python"], check=True)
    (place / "app").mkdir()
    replay(place / "app", PATH=f"{place}/python/bin:{os.defpath}")
