"""Every command, option, setting, variable and path that the files of deploy/ name is there in the project."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import typer
import yaml

from abaco.cli import app
from abaco.core import settings
from tests.support import deploy_files, image

VERBS = typer.main.get_command(app).commands
VARIABLES = set(re.findall(r"^([A-Z_]+)=", (deploy_files.ROOT / ".env.example").read_text(), re.MULTILINE))
# what make takes, and what only a machine or a test needs
BESIDES = {"DATE", "INPUT", "PARAMS", "ABACO_ROOT", "ABACO_REQUIRE_ALL", "HOME"}
COMMANDS = deploy_files.abaco_commands()


def test_each_way_of_deployment_calls_abaco():
    assert len(COMMANDS) >= 6
    assert all(Path(command[0]).name == "abaco" for command in COMMANDS.values())


def test_verbs_and_options_exist():
    unknown = {}
    for where, (_, verb, *rest) in COMMANDS.items():
        known = {option for parameter in VERBS[verb].params for option in parameter.opts}
        unknown[where] = {part for part in rest if part.startswith("-")} - known
    assert {where: options for where, options in unknown.items() if options} == {}


def test_settings_are_known():
    given = [command[command.index("--params") + 1] for command in COMMANDS.values() if "--params" in command]
    overlay = deploy_files.resources()["ConfigMap", "abaco-settings"]["data"]["production.yml"]
    loaded = [settings.load(changes)["run"]["input"] for changes in (*given, yaml.safe_load(overlay))]
    assert loaded == ["cascade", "${ABACO_INPUT:-data/sample}", "cascade"]


def test_variables_are_explained():
    compose = deploy_files.load(deploy_files.DEPLOY / "compose.yml")["services"]["abaco"]["environment"]
    aci = deploy_files.load(deploy_files.DEPLOY / "aci.yml")["properties"]["containers"][0]["properties"]
    workflow = deploy_files.load(deploy_files.WORKFLOW)["jobs"].values()
    named = {*compose, *(one["name"] for one in aci["environmentVariables"])}
    named |= {one["name"] for pod in deploy_files.pods().values() for one in pod["containers"][0]["env"]}
    named |= {name for job in workflow for part in (job, *job["steps"]) for name in part.get("env", {})}
    named |= set(re.findall(r"\$\{([A-Z_]+)", (deploy_files.DEPLOY / "compose.yml").read_text()))
    assert named - BESIDES - VARIABLES == set()


# what only Spark, a test machine or deploy/compose.yml needs, or a way of deployment sets itself
ELSEWHERE = {"SPARK_MASTER", "SPARK_STORAGE", "LOG_LEVEL", "ABACO_ENV", "ABACO_INPUT", "POSTGRES_PASSWORD",
             "GRAFANA_PASSWORD", "AZURITE_KEY", "SMTP_PASSWORD", "ABACO_UNATTENDED"}  # fmt: skip


def test_every_way_of_deployment_passes_every_variable():
    aci = deploy_files.load(deploy_files.DEPLOY / "aci.yml")["properties"]["containers"][0]["properties"]
    given = {name: {one["name"] for one in pod["containers"][0]["env"]} for name, pod in deploy_files.pods().items()}
    given["aci"] = {one["name"] for one in aci["environmentVariables"]}
    given["workflow"] = set(deploy_files.load(deploy_files.WORKFLOW)["jobs"]["report"]["env"])
    served = {name for name in VARIABLES if name.startswith("ABACO_SERVE_")}
    for way, names in given.items():
        assert VARIABLES - ELSEWHERE - (served if way in ("job", "workflow") else set()) - names == set(), way
    service = deploy_files.load(deploy_files.DEPLOY / "compose.yml")["services"]["abaco"]
    units = [dict(deploy_files.unit(path)) for path in deploy_files.UNITS if path.suffix == ".service"]
    assert service["env_file"] == "../.env.local" and all("EnvironmentFile" in unit for unit in units)


def test_make_has_the_targets():
    targets = re.findall(r"\bmake (\S+)", "\n".join(step.get("run", "") for step in deploy_files.steps()))
    made = subprocess.run(["make", "--dry-run", *targets], cwd=deploy_files.ROOT, capture_output=True, text=True)
    assert targets and made.returncode == 0, made.stderr


def test_tools_of_the_workflow_are_installed_with_the_tests():
    called = re.findall(r"\.venv/bin/(\S+)", "\n".join(step.get("run", "") for step in deploy_files.steps()))
    assert called == ["coverage", "coverage"]
    assert all(Path(sys.executable).with_name(name).exists() for name in called)


def test_paths_exist():
    path = re.compile(r"(?<![\w./-])(?:deploy|docs|params|tests|abaco|notebooks)/[\w./*-]*\w")
    named = [(file.name, name) for file in deploy_files.ALL for name in path.findall(file.read_text())]
    assert [one for one in named if not list(deploy_files.ROOT.glob(one[1]))] == []


def test_folders_that_are_written_are_the_same_everywhere():
    project = {"data", "reports", "logs"}
    made = next(rest for rest in image.arguments("RUN") if "mkdir" in rest)
    assert all(" ".join(["data", "reports", "logs"]) in step for step in made.split("&&")[1:])
    compose = deploy_files.load(deploy_files.DEPLOY / "compose.yml")["services"]["abaco"]
    assert {mount.split(":")[1] for mount in compose["volumes"]} == {f"/app/{name}" for name in project}
    for pod in deploy_files.pods().values():
        mounts = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"] if not mount.get("readOnly")}
        assert mounts == {"/tmp", *(f"/app/{name}" for name in project)}
    for path in deploy_files.UNITS:
        for key, value in deploy_files.unit(path):
            own = project | ({"backups"} if path.stem != "abaco" else set())
            assert key != "ReadWritePaths" or set(value.split()) == {f"/opt/abaco/{name}" for name in own}


def test_image_has_the_version_of_the_project_everywhere():
    version = tomllib.loads((deploy_files.ROOT / "pyproject.toml").read_text())["project"]["version"]
    found = {tag for path in deploy_files.ALL for tag in re.findall(r"\babaco:(\d+\.\d+\.\d+)", path.read_text())}
    assert found == {version}


def test_reports_are_made_at_the_same_time_everywhere():
    cron = deploy_files.load(deploy_files.ROOT / "params/pipeline.yml")["service"]["cron"]
    job = deploy_files.resources()["CronJob", "abaco-report"]["spec"]
    workflow = deploy_files.load(deploy_files.WORKFLOW)[True]["schedule"]  # YAML reads `on` as true
    assert [cron, job["schedule"], workflow[0]["cron"]] == ["0 2 * * *"] * 3
    assert job["timeZone"] == "Etc/UTC"
    assert ("OnCalendar", "*-*-* 02:00:00 UTC") in deploy_files.unit(deploy_files.DEPLOY / "systemd/abaco.timer")
