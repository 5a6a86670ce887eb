"""The runbook: each block is run, in order, as one session, or checked if it needs a cloud; all it names is there."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from abaco.cli import app
from abaco.core import files as core_files
from abaco.core import secrets, settings
from abaco.delivery import registry, rules
from abaco.service.metrics import exposition
from abaco.service.reports import Book
from abaco.service.schedule import Schedule, trigger
from tests.support import runbook
from tests.support.mailserver import serving
from tests.support.ports import free_port
from tests.support.programs import missing
from tests.support.projects import ROOT
from tests.support.webhooks import recording

BLOCKS = runbook.blocks()
RUN = [block for block in BLOCKS if block.kind in runbook.RUN]
CHECKED = [block for block in BLOCKS if block.kind == runbook.CHECKED]
VERBS = typer.main.get_command(app).commands
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
ARGUMENTS = {"DATE", "INPUT", "PARAMS", "OUTPUT", "ENGINE", "TO", "FROM", "PORT", "UPGRADE", "SPARK_MASTER", "RESEND"}
# programs of a cloud or of the system; what is not among them is a slip of the pen
PROGRAMS = {
    "abaco", "make", "cp", "docker", "az", "kubectl", "gh", "systemctl", "promtool", "useradd", "install", "git",
    "curl", "journalctl", "systemd-run", "cd",
}  # fmt: skip
FOLDERS = ("abaco", "benchmarks", "deploy", "docs", "notebooks", "params", "tests", ".github")
CODE = re.findall(r"`([^`\n]+)`", runbook.prose())
SETTINGS = settings.load()
EXAMPLE = (ROOT / ".env.example").read_text()


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    for tool in ("bash", "curl", "git", "make"):
        if shutil.which(tool) is None:
            missing(f"{tool} is not installed")
    port = free_port()
    project = runbook.copy(tmp_path_factory.mktemp("runbook") / "project", port)
    with recording(tmp_path_factory.mktemp("tls")) as slack, serving() as mail:
        found = runbook.Session(
            project, SLACK_WEBHOOK_URL=f"{slack.url}/services/T/B/c", HEARTBEAT_URL=f"{slack.url}/ping/key",
            SMTP_URL=f"smtp://127.0.0.1:{mail.port}", REPORT_RECIPIENTS="investor@example.com",
            ALERT_RECIPIENTS="ops@example.com", PORT=str(port),
        )  # fmt: skip
        found.slack, found.mail = slack, mail
        yield found
        found.close()


# Blocks


def test_every_block_is_run_or_checked():
    assert len(RUN) >= 20 and len(CHECKED) >= 10
    assert [str(block) for block in BLOCKS if block not in RUN + CHECKED] == []


def test_a_command_that_fails_is_noticed(session):
    assert session.run("true; false; true")[0] == "false"
    assert session.run("false | cat")[0]
    assert session.run("false || true; if false; then true; fi")[0] == ""


def test_blocks_run_in_order_as_one_session_and_practice_reaches_nobody(session):
    for block in RUN:
        before = received(session)
        failed, said = session.run(block.script, f"line_{block.line}")
        assert not failed, f"{block}: {failed}\n{said}"
        assert block.section != "Practice" or received(session) == before, block
    # the report was made several times, always with the same figures, and no block failed a run on purpose
    assert [to for _, to, _ in session.mail.taken] == ["investor@example.com"]
    assert "[P1]" not in str(session.slack.of("127.0.0.1"))


def received(session):
    """How many messages each place has received."""
    return len(session.slack.received), len(session.mail.taken)


def test_nothing_but_the_report_itself_was_published_or_left_running_in_practice(session):
    ran = {path.name for path in session.root.glob("reports/.runs/2025-12-31/*_*")}
    codes = {
        core_files.read_json(path)["code"]["sha256"] for path in session.root.glob("reports/.runs/*/*/manifest.json")
    }
    assert ran and len(codes) == 1
    assert (
        subprocess.run(["git", "worktree", "list"], cwd=session.root, capture_output=True, text=True).stdout.count("\n")
        == 1
    )


def test_incidents_need_nothing_of_another_section():
    """Whoever reads a section has a fresh shell: each variable in it is set in it, or by the operator's environment."""
    own = {
        "PWD",
        "PATH",
        "PORT",
        "REGISTRY",
        "GROUP",
        "ACCOUNT",
        "AZURE_STORAGE_CONNECTION_STRING",
        "META_SYSTEM_USER_TOKEN",
    }
    for section in re.split(r"^##+ ", runbook.TEXT, flags=re.MULTILINE):
        blocks = "\n".join(re.findall(r"```sh.*?\n(.*?)```", section, re.DOTALL))
        used = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", blocks)) - set(re.findall(r"\b([A-Z][A-Z_]+)=", blocks))
        assert used - own - {"ABACO_SERVE_TOKEN"} == set(), section.splitlines()[0]
        assert used <= own or section.startswith(("Kubernetes", "Practice", "Docker")), section.splitlines()[0]


def test_ports_are_a_variable():
    assert [str(block) for block in BLOCKS if re.search(r"localhost:\d", block.text)] == []


INCIDENTS = runbook.TEXT.split("\n## Incident response\n")[1].split("\n## Maintenance\n")[0]


@pytest.mark.parametrize(
    "block",
    [b for b in RUN if b.kind == "sh" and f"# {b.section}\n" in INCIDENTS and "service.pid" not in b.text],
    ids=str,
)
def test_incident_blocks_work_in_a_fresh_shell_of_a_fresh_installation(block, tmp_path):
    """Nothing is there yet: no report, no log, no service; what abaco itself says then has tests of its own."""
    for name in ("abaco", "make"):
        (tmp_path / name).symlink_to(shutil.which("true"))
    own = runbook.environment(PATH=f"{tmp_path}:{os.environ['PATH']}", PORT=str(free_port()))
    shell = ["bash", "-eu", "-o", "pipefail", "-c", block.text]
    ended = subprocess.run(shell, cwd=tmp_path, env=own, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert ended.returncode == 0, ended.stderr


def test_metrics_that_the_text_names_are_there(session, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    output = session.root / "reports"
    said = exposition(Book(output, Schedule(trigger("0 2 * * *"), output, list, 3.0))).decode()
    named = {code for code in CODE if re.match("(kpi|pipeline)_[a-z]", code)}
    assert len(named) > 15
    assert named - set(re.findall("^[a-z0-9_]+", said, re.MULTILINE)) == set()


def test_names_in_blocks_exist():
    blocks = [block for block in BLOCKS if block.kind != "python"]
    assert [f"{block}: {fault}" for block in blocks for fault in faults_of(block)] == []


def faults_of(block):
    """What a block names that there is not."""
    yield from subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True).stderr.splitlines()
    for words in runbook.commands(block.text):
        words = words[1:] if words[0] == "sudo" else words
        if block.kind == runbook.CHECKED and words[0] not in PROGRAMS:
            yield f"the program {words[0]}"
        for at, word in enumerate(words[:-1]):
            if re.fullmatch(r"abaco|abaco:[\d.]+|\S*/\.venv/bin/abaco", word) and (at == 0 or words[at + 1] in VERBS):
                yield from unknown_of_verb(words[at + 1 :])
        if words[0] == "make":
            yield from unknown_of_make(words[1:])
        yield from (word for word in words if is_path(word) and not exists(word))


def unknown_of_verb(words):
    """What abaco does not take of a command's words."""
    verb, *rest = words
    if verb not in VERBS:
        return {verb}
    known = {option for parameter in VERBS[verb].params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = rest[: next((at for at, word in enumerate(rest) if word[0] in "<>"), None)]
    return {word.partition("=")[0] for word in given if word.startswith("-")} - known


def unknown_of_make(words):
    """What make does not take of a command's words."""
    target, *rest = [word for word in words if not re.match(r"[<>]|/dev/", word)]
    return ({target} - TARGETS) | ({word.partition("=")[0] for word in rest} - ARGUMENTS)


def is_path(word):
    return word.split("/")[0] in FOLDERS and "/" in word


def exists(word):
    return bool(list(ROOT.glob(word.rstrip("/"))))


# What the text names


def test_what_the_text_names_exists():
    assert [code for code in sorted(set(CODE)) if not is_known(code)] == []


def is_known(code):
    """Whether a verb, target, path, setting or variable is there; of other words nothing is asked."""
    words = code.split()
    if words[0] == "abaco" and words[1:]:
        return not unknown_of_verb(words[1:])
    if words[0] == "make" and words[1:]:
        return not unknown_of_make(words[1:])
    if is_path(code):
        return exists(code)
    if (found := re.fullmatch(r"([a-z]+)\.([a-z_]+)", code)) and found[2] != "json":
        return found[2] in SETTINGS.get(found[1], ())
    return not re.fullmatch(r"[A-Z]+(_[A-Z]+)+", code) or f"\n{code}=" in EXAMPLE


def test_every_secret_is_explained():
    named = (*secrets.WHOLE, *secrets.URLS, *secrets.PARTS)
    assert [name for name in named if f"\n{name}=" not in EXAMPLE] == []


def table(heading):
    """The cells of the table below a heading, its own heading left out."""
    text = runbook.TEXT.split(f"\n### {heading}\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| `(.+) \|$", text, re.MULTILINE)
    return [[cell.strip("` ") for cell in row.split("|")] for row in rows]


def test_limits_are_those_of_the_kpis():
    kpis = yaml.safe_load((ROOT / "params/kpis.yml").read_text())
    cells = ("direction", "warning", "critical", "owner")
    limited = {name: kpi for name, kpi in kpis.items() if {"warning", "critical"} & kpi.keys()}
    assert table("KPI thresholds") == [
        [name, *(str(kpi.get(cell, "")) for cell in cells)] for name, kpi in limited.items()
    ]


def prometheus():
    """The rules of Prometheus."""
    files = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def test_rules_are_those_of_prometheus():
    wanted = {
        (
            rule["alert"], rule["labels"]["severity"], rule["labels"]["owner"],
            rule["annotations"]["runbook_url"].partition("#")[2],
        )
        for rule in prometheus()
    }  # fmt: skip
    listed = {(*cells, link.partition("#")[2].rstrip(")")) for *cells, link in table("Alert rules")}
    assert listed == wanted


def test_severities_are_those_of_the_alerts():
    rows = re.findall(r"^\| (P\d) \|[^|]+\| ([^|]+) \|", runbook.TEXT, re.MULTILINE)
    routes = {severity: set(names.lower().split(", ")) for severity, names in rows}
    assert routes == {severity: set(names) for severity, names in registry.ROUTES.items()}


def test_every_link_leads_somewhere():
    inner = set(re.findall(r"\]\(#([\w-]+)\)", runbook.TEXT))
    alerts = {rule["annotations"]["runbook_url"] for rule in prometheus()}
    assert {link.partition("#")[0] for link in alerts} <= {SETTINGS["alerts"]["runbook"]}
    assert inner | {link.partition("#")[2] for link in alerts} | set(rules.SECTIONS.values()) <= runbook.anchors()
    files = re.findall(r"\]\(([\w./-]+)\)", runbook.TEXT)
    assert [name for name in files if not (runbook.PATH.parent / name).exists()] == []


def test_alerts_name_the_runbook():
    assert Path(ROOT / SETTINGS["alerts"]["runbook"]) == runbook.PATH
