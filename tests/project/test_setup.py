"""One set of versions everywhere, and `make` as the way in."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.programs import missing

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
BUILD = PYPROJECT["build-system"]["requires"]
DIRECT = PYPROJECT["project"]["dependencies"]
LOCKS = {
    "requirements.lock": [*BUILD, *DIRECT],
    **{f"requirements-{extra}.lock": wanted for extra, wanted in EXTRAS.items()},
}


def pins(requirements):
    """Version by package name of `name==version` requirements."""
    parsed = [Requirement(text) for text in requirements]
    for requirement in parsed:
        assert re.fullmatch(r"==[0-9a-z.]+", str(requirement.specifier)), f"{requirement} is not one version"
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in parsed}


def lock_entries(lock):
    """(requirement, hashes) for each entry of a lock."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    for line in text.splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        yield Requirement(requirement), hashes


def locked(lock):
    """Set of locked versions by package name: more than one where platforms differ."""
    versions = {}
    for requirement, _ in lock_entries(lock):
        (name, version), *_ = pins([str(requirement)]).items()
        versions.setdefault(name, set()).add(version)
    return versions


# Versions


def test_every_extra_has_a_lock_and_every_lock_an_extra():
    assert {path.name for path in ROOT.glob("requirements*")} == set(LOCKS)


def test_locks_hold_the_direct_versions_for_every_platform():
    faults = []
    for lock, requirements in LOCKS.items():
        versions, wanted = locked(lock), pins(requirements)
        faults += [f"{name} in {lock}" for name, version in wanted.items() if versions.get(name) != {version}]
        faults += [
            f"{one} in {lock}" for one, _ in lock_entries(lock) if one.marker and canonicalize_name(one.name) in wanted
        ]
    assert faults == [], "pyproject.toml and the locks differ: run `make lock`"


def test_every_locked_package_has_sha256_hashes():
    entries = [(lock, *entry) for lock in LOCKS for entry in lock_entries(lock)]
    whole = re.compile(r"sha256:[0-9a-f]{64}")
    assert [
        f"{one} in {lock}" for lock, one, hashes in entries if not hashes or not all(map(whole.fullmatch, hashes))
    ] == []


def test_locks_agree_on_shared_packages():
    versions, hashes = {}, {}
    for lock in LOCKS:
        for name, found in locked(lock).items():
            assert versions.setdefault(name, found) == found, f"{name} in {lock}: run `make lock`"
        for requirement, found in lock_entries(lock):
            key = (canonicalize_name(requirement.name), str(requirement.specifier))
            assert hashes.setdefault(key, found) == found, f"{requirement} in {lock}: run `make lock`"


def test_report_only_installation_stays_small():
    large = {name for extra in EXTRAS.values() for name in pins(extra)}
    assert {"jupyterlab", "pyspark", "pytest"} <= large
    assert not large & set(locked("requirements.lock"))


def test_conda_environment_has_the_same_versions():
    *conda, with_pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    python = f"python{PYPROJECT['project']['requires-python']}"
    assert conda[:2] == [python, "pip"]
    assert with_pip["pip"][-1] == "-e ."
    named = [text.replace("=", "==") for text in conda[2:]]
    assert pins(named + with_pip["pip"][:-1]) == pins([*BUILD, *DIRECT, *EXTRAS["lab"]])


def test_no_address_of_a_registry_or_machine():
    addresses = r"\w+://\S*"
    options = r"(?<![\w-])(?:-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b.*"
    names = (*LOCKS, "pyproject.toml", "environment.yml", "Makefile", ".ci/run")
    found = {name: re.findall(f"{addresses}|{options}", (ROOT / name).read_text()) for name in names}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_parts_on_node_are_locked_by_hash_and_without_a_registry():
    wanted = json.loads((ROOT / "tests/node/package.json").read_text())["dependencies"]
    packages = json.loads((ROOT / "tests/node/package-lock.json").read_text())["packages"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    del packages[""]
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not [name for name, entry in packages.items() if "resolved" in entry]


# Make


def run_make(folder, *arguments):
    """Run make as from a shell: without what an outer make or its command line left in the environment."""
    if shutil.which("make") is None:
        missing("make is not installed")
    options = {"DATE", "INPUT", "PARAMS", "OUTPUT", "ENGINE", "ROWS", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    environment = {key: value for key, value in os.environ.items() if key not in options}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def clone(tmp_path):
    """A fresh clone, as far as set-up goes, in a folder whose name has a blank."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", ".env.example", *LOCKS):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def installed(clone):
    """After set-up, abaco being a script that prints its arguments, a line each, and exits 3."""
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/bin/python").symlink_to(sys.executable)
    (clone / ".venv/bin/abaco").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 3\n")
    (clone / ".venv/bin/abaco").chmod(0o755)
    (clone / ".venv/.report").touch()
    return clone


def test_make_alone_prints_every_target_with_a_line_of_help():
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)[1].split()
    shown = run_make(ROOT)
    assert shown.returncode == 0
    lines = [re.fullmatch(r"make ([\w-]+) +(\S.*)", line) for line in sorted(shown.stdout.splitlines())]
    assert [line[1] for line in lines] == sorted(phony)


SOURCE = """../my "own" exports/it's.csv"""


def test_options_arrive_as_typed(installed):
    day, source = ("--date", "2025-12-31"), ("--input", SOURCE)
    typed = ("DATE=2025-12-31", f"INPUT={SOURCE}", "OUTPUT=a  b")
    expected = {
        ("report", *typed): ["report", *day, *source, "--output", "a  b"],
        ("check", *typed[:2]): ["check", *day, *source],
        ("verify", typed[0], typed[2]): ["verify", *day, "--output", "a  b"],
        ("backfill", "FROM=2025-01-01", "TO=2025-12-31", "OUTPUT=a  b"):
        ["backfill", "--from", "2025-01-01", "--to", "2025-12-31", "--output", "a  b"],
    }  # fmt: skip
    assert {words: run_make(installed, *words).stdout.splitlines() for words in expected} == expected


def test_dollar_in_an_answer_names_no_variable(installed):
    made = run_make(installed, "map", "INPUT=a.csv", 'ANSWERS={"currency": "$m $(HOME)"}')
    assert made.stdout.splitlines() == ["map", "a.csv", "--answers", '{"currency": "$m $(HOME)"}']


def test_options_not_set_are_not_passed(installed):
    assert run_make(installed, "report").stdout == "report\n"
    assert run_make(installed, "report", "DATE=").stdout == "report\n"
    assert run_make(installed, "sample", "ROWS=1000").stdout == "sample\n--rows\n1000\n"
    assert run_make(installed, "verify", "DATE=2025-12-31").stdout == "verify\n--date\n2025-12-31\n"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("DTAE=2025-12-31", "DATE"), ("date=2025-12-31", "DATE"), ("Input=x", "INPUT"), ("PARAM=a.b=c", "PARAMS")],
)
def test_variable_that_make_does_not_know_is_an_error_of_one_line(installed, typed, meant):
    made = run_make(installed, "report", "OUTPUT=other", typed)
    name = typed.partition("=")[0]
    assert (made.returncode, made.stdout) == (2, "")
    (line,) = made.stderr.splitlines()
    assert f"{name} is not a variable of this Makefile: did you mean {meant}?" in line


def test_variables_of_the_environment_may_stand_on_the_command_line(installed):
    assert run_make(installed, "report", "LOG_LEVEL=DEBUG", "ABACO_ENV=test").stdout == "report\n"


def test_lab_opens_its_index_as_a_page(installed):
    shutil.copytree(ROOT / "tools/labconfig", installed / "tools/labconfig")
    script = '#!/bin/sh\ncat "${JUPYTER_CONFIG_PATH%:*}/labconfig/default_setting_overrides.json"\necho "$@" >&2\n'
    (installed / ".venv/bin/jupyter").write_text(script)
    (installed / ".venv/bin/jupyter").chmod(0o755)
    (installed / ".venv/.lab").touch()
    made = run_make(installed, "lab")
    assert made.stderr == "lab notebooks/index.md\n"
    viewers = json.loads(made.stdout)["@jupyterlab/docmanager-extension:plugin"]["defaultViewers"]
    assert viewers == {"markdown": "Markdown Preview"}


def test_exit_code_of_abaco_is_shown(installed):
    made = run_make(installed, "report")
    assert made.returncode == 2
    assert made.stderr.rstrip().endswith("Error 3")


def test_engine_spark_is_set_up_with_what_it_needs(installed):
    shown = run_make(installed, "--dry-run", "report", "ENGINE=spark").stdout
    build = shown.index("/^setuptools==/,")
    assert build < shown.index(
        "--no-build-isolation --only-binary :all: --no-binary pyspark -r requirements-spark.lock"
    )
    (installed / ".venv/.spark").touch()
    assert run_make(installed, "report", "ENGINE=spark").stdout == "report\n--engine\nspark\n"


def test_tests_are_set_up_with_spark_and_a_report_is_not(installed):
    assert "--no-binary pyspark" in run_make(installed, "--dry-run", "test").stdout
    assert "spark" not in run_make(installed, "--dry-run", "--always-make", "report").stdout


def test_build_of_spark_takes_setuptools_alone_and_by_its_hashes(installed):
    shown = run_make(installed, "--dry-run", "report", "ENGINE=spark").stdout
    [command] = [line.split("&&")[0].split(">")[0] for line in shown.splitlines() if line.startswith("sed")]
    taken = subprocess.run(["sh", "-c", command], cwd=installed, capture_output=True, text=True).stdout
    assert taken.startswith("setuptools==") and taken.count("==") == 1 and taken.count("--hash=sha256:") == 2


def test_newer_lock_sets_up_again(installed):
    later = (installed / ".venv/.report").stat().st_mtime + 5
    os.utime(installed / "requirements.lock", (later, later))
    assert "Setting up .venv" in run_make(installed, "--dry-run", "report").stdout


def test_unsuitable_python_is_named_in_one_line(clone):
    scripts = {
        None: "Error: Python 3.11 or newer is needed, but ./other is not there: ",
        '[ "$1" = --version ] && echo Python 3.10.2': "is needed, but ./other is Python 3.10.2: ",
        'case "$2" in *ensurepip*) exit 1;; esac': "Error: ./other has no venv module: ",
    }
    for script, expected in scripts.items():
        if script is not None:
            (clone / "other").write_text(f"#!/bin/sh\n{script}\n")
            (clone / "other").chmod(0o755)
        error, from_make = run_make(clone, "report", "PYTHON=./other").stderr.splitlines()
        assert expected in error
        assert from_make.startswith("make: ***")
        assert not (clone / ".venv").exists()


def test_clean_keeps_data_and_the_installation(installed):
    kept = ["data/real.csv", "data/__pycache__/x", ".venv/lib/__pycache__/x", "abaco/cli.py"]
    gone = ["reports/2025-12-31/report.html", "logs/pipeline.log", "abaco/__pycache__/x", ".pytest_cache/x"]
    for name in kept + gone:
        (installed / name).parent.mkdir(parents=True, exist_ok=True)
        (installed / name).touch()
    assert run_make(installed, "clean").returncode == 0
    assert [name for name in kept if not (installed / name).exists()] == []
    assert [name for name in gone if (installed / name).exists()] == []


# Files


def test_environment_example_explains_each_variable_and_sets_none():
    blocks = (ROOT / ".env.example").read_text().strip().split("\n\n")[1:]
    for block in blocks:
        comment, *variables = block.splitlines()
        assert comment.startswith("# ")
        assert variables and all(re.fullmatch(r"[A-Z_]+=", line) for line in variables), block


def test_ci_runs_make_test_and_lets_nothing_be_skipped():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert "export ABACO_REQUIRE_ALL=1\nexec make test\n" in script.read_text()
