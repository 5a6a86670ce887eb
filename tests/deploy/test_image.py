"""The image: what it is made of and how, done in a folder, as no engine is needed to see that its steps work."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.support import deploy_files, image
from tests.support.programs import need

SECRETS_OR_WASTE = (".git", ".env.local", ".venv", "tests", "reports", "logs", "benchmarks")


def test_hadolint_has_nothing_to_say():
    hadolint = need(str(Path(sys.executable).with_name("hadolint")), "requirements-test.lock")
    told = subprocess.run([hadolint, "--failure-threshold", "style", image.DOCKERFILE], capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (0, "")


def test_runs_as_a_numbered_user_without_rights():
    assert image.arguments("USER") == ["10001:10001"]
    after = [name for name, _ in image.instructions()]
    assert "RUN" not in after[after.index("USER") :]


def test_health_check_asks_the_port_that_is_served():
    port = image.arguments("EXPOSE")[0]
    assert f"http://127.0.0.1:{port}/health" in image.arguments("HEALTHCHECK")[0]
    assert port == str(deploy_files.load(deploy_files.ROOT / "params/pipeline.yml")["service"]["port"])


def test_build_sees_what_a_run_needs_and_nothing_else():
    seen = {path.relative_to(image.ROOT).parts[0] for path in image.context()}
    assert seen & set(SECRETS_OR_WASTE) == set()
    assert {"abaco", "notebooks", "params", "data", "requirements.lock"} <= seen
    data = {path.relative_to(image.ROOT).parts[1] for path in image.context() if "data" in path.parts}
    assert data == {"sample", "sample.csv"}
    assert [path for path in image.context() if "__pycache__" in path.parts] == []


@pytest.fixture(scope="module")
def container(tmp_path_factory):
    """A folder in which the image's steps are done, but for the packages of the lock: those of the tests serve."""
    folder = tmp_path_factory.mktemp("image")
    venv.create(folder / "python")
    packages = Path(sysconfig.get_path("purelib", vars={"base": folder / "python"}))
    packages.joinpath("lock.pth").write_text(sysconfig.get_path("purelib"))
    (folder / "app").mkdir()
    pip = folder / "python/bin/pip"
    pip.write_text(f'#!/bin/sh\nexec {sys.executable} -m pip --python {folder}/python/bin/python "$@"\n')
    pip.chmod(0o755)
    path = os.pathsep.join([str(folder / "python/bin"), os.defpath])
    image.replay(folder / "app", skip=("pip install --require-hashes",), PATH=path)
    return folder / "app", image.environment() | {
        "ABACO_ROOT": str(folder / "app"),
        "PATH": path,
        "JUPYTER_PATH": f"{sys.prefix}/share/jupyter",
    }


def test_steps_leave_a_project_that_makes_a_report(container, tmp_path):
    app, environment = container
    made = subprocess.run(
        ["abaco", "report", "--date", "2025-12-31"], cwd=tmp_path, capture_output=True, text=True,
        env=environment | {"HOME": str(tmp_path)},
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert (app / "reports/2025-12-31/report.html").is_file()


def test_package_is_there_once_and_not_that_of_the_tests(container):
    app, environment = container
    code = "import abaco; print(abaco.__file__)"
    found = subprocess.run(["python", "-c", code], cwd=app, capture_output=True, text=True, env=environment)
    assert Path(found.stdout.strip()).is_relative_to(app.parent / "python")
    assert not (app / "abaco").exists()


def test_serving_beyond_the_container_needs_a_secret(container):
    _, environment = container
    told = subprocess.run(image.command(), capture_output=True, text=True, env=environment)
    assert told.returncode == 2
    assert "ABACO_SERVE_TOKEN" in told.stderr
