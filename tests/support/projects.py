"""A project of its own, with the real command line, for whatever crosses a process."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support import warm

ROOT = Path(__file__).resolve().parents[2]
OWN = (
    "ABACO_",
    "LOG_LEVEL",
    "AZURE_",
    "META_SYSTEM",
    "DATABASE_URL",
    "SMTP_URL",
    "REPORT_",
    "ALERT_",
    "SLACK_",
    "PAGERDUTY_",
    "HEARTBEAT_",
)
# The four KPIs of every report, and no others: what is tested with them holds whatever params/kpis.yml gets.
FOUR = ROOT / "tests/params/four.yml"
NEVER = "0 2 29 2 *"  # a service.cron that is due at 02:00, and not while tests run
PII_KEY = "a key that nobody may ever see"


def copy_project(root, kpis=FOUR):
    """Copy what a run reads of the project, but for the package itself, with KPI definitions of a file."""
    for name in ("notebooks", "params"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(kpis, root / "params/kpis.yml")
    settings = root / "params/pipeline.yml"
    settings.write_text(settings.read_text().replace("input: data/sample\n", "input: data/sample.csv\n"))
    (root / "data").mkdir()
    shutil.copy(ROOT / "data/sample.csv", root / "data")
    return root


@dataclass
class Project:
    """A copy of the project in a folder of its own, and the real command line in it."""

    root: Path
    output: Path

    def copy(self, root):
        """Copy the project with its reports, and without its log."""
        shutil.copytree(self.root, root, symlinks=True, ignore=shutil.ignore_patterns("logs"))
        return Project(root, root / self.output.relative_to(self.root))

    def environment(self, **more):
        """Return the environment free of what concerns abaco, and with what a command needs besides."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(OWN)}
        return {**kept, "ABACO_ROOT": str(self.root), **more}

    def start(self, *command, stdin=subprocess.DEVNULL, **environment):
        """Start a command in the project."""
        return subprocess.Popen(
            [str(part) for part in command], cwd=self.root, stdin=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=self.environment(**environment),
        )  # fmt: skip

    def abaco(self, *arguments, **environment):
        """Run abaco to its end."""
        if any(name.startswith(warm.AT_START) for name in environment):
            process = self.start(Path(sys.executable).with_name("abaco"), *arguments, **environment)
            out, err = process.communicate(timeout=900)
            return subprocess.CompletedProcess(arguments, process.returncode, out, err)
        words = [str(part) for part in arguments]
        code, out, err = warm.run(words, self.root, self.environment(**environment))
        return subprocess.CompletedProcess(arguments, code, out, err)

    def report(self, *arguments, date="2025-12-31", **environment):
        """Run abaco report into the output folder."""
        return self.abaco("report", "--date", date, "--output", self.output, *arguments, **environment)

    def visible(self, date="2025-12-31"):
        """Return which run the report of a date is, and the hash of every file in it."""
        folder = self.output / date
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}, (
            os.readlink(folder)
        )

    def runs(self, date="2025-12-31"):
        """Return the folders of all runs of a date, oldest first."""
        return sorted(path for path in (self.output / ".runs" / date).glob("*") if path.is_dir())

    @property
    def log(self):
        """The text of logs/pipeline.log."""
        path = self.root / "logs/pipeline.log"
        return path.read_text() if path.exists() else ""
