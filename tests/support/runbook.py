"""The runbook: its blocks as they stand in the text, a shell that runs them as one session, and what they name."""

import os
import queue
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support import warm
from tests.support.projects import NEVER, OWN, ROOT

PATH = ROOT / "docs/OPERATIONS.md"
TEXT = PATH.read_text()
FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>.+)\n(?P<text>(?:.*\n)*?)(?P=indent)```$", re.MULTILINE)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
RUN, CHECKED = ("sh", "python"), "sh cloud"
# what a run reads, and what is committed besides
COPIED = (
    "abaco", "benchmarks", "data/sample", "data/sample.csv", "deploy", "docs", "notebooks", "params", ".gitignore",
    ".env.example", "CHANGELOG.md", "Makefile", "README.md", "pyproject.toml", "requirements.lock",
    "requirements-lab.lock", "requirements-spark.lock", "requirements-test.lock",
)  # fmt: skip
OTHERS = (*OWN, "MAKE", "MFLAGS", "DATE", "INPUT", "PARAMS", "OUTPUT", "ENGINE", "PORT", "TO", "FROM", "GIT_")
TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Block:
    """A block of the runbook: ``sh``, ``python`` or ``sh cloud``."""

    kind: str
    text: str
    line: int
    section: str

    def __str__(self):
        """What a list of tests calls it."""
        return f"line {self.line}, {self.section}{', checked only' if self.kind == CHECKED else ''}"

    @property
    def script(self):
        """The block as the shell takes it."""
        return f"python - <<'PYTHON'\n{self.text}PYTHON\n" if self.kind == "python" else self.text


def prose():
    """The text without its blocks, line by line as it was."""
    return FENCE.sub(lambda found: "\n" * found[0].count("\n"), TEXT)


def blocks():
    """Every block, in order."""
    headings = [(found.start(), found[2]) for found in HEADING.finditer(prose_of_same_length())]
    found = []
    for fence in FENCE.finditer(TEXT):
        indent = fence["indent"]
        text = "".join(line.removeprefix(indent) for line in fence["text"].splitlines(keepends=True))
        section = [name for at, name in headings if at < fence.start()][-1]
        found.append(Block(fence["kind"], text, TEXT.count("\n", 0, fence.start()) + 1, section))
    return found


def prose_of_same_length():
    """The text with blanks in place of its blocks: a comment in a block is no heading."""
    return FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), TEXT)


def anchors():
    """The anchors that its headings have."""
    names = [name.lower() for _, name in HEADING.findall(prose_of_same_length())]
    return {re.sub(r"[^\w\- ]", "", name).replace(" ", "-") for name in names}


def commands(script):
    """The simple commands of a script, each as its words."""
    lexer = shlex.shlex(script.replace("\\\n", " "), posix=True, punctuation_chars=";&|<>\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    found, words = [], []
    for word in lexer:
        if set(word) <= set(";&|\n"):
            found, words = [*found, words], []
        else:
            words.append(word)
    return [command for command in [*found, words] if command]


def copy(root, port):
    """Make a project of its own in a folder: all that is run, the packages installed here, two commits of code."""
    for name in COPIED:
        source = ROOT / name
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
        elif source.exists():
            shutil.copy2(source, root / name)
    # another one than the port of a service that runs here already, and no report of its own meanwhile
    (root / "params/drill.yml").write_text(
        f"service:\n  port: {port}\n  cron: {NEVER}\ndelivery:\n  email_from: abaco@example.com\n"
    )
    venv = root / ".venv"
    venv.mkdir()
    for part in Path(sys.prefix).iterdir():
        if not part.name.startswith(".") and part.name != "bin":
            (venv / part.name).symlink_to(part)
    (venv / "bin").mkdir()
    for program in Path(sys.prefix, "bin").iterdir():
        (venv / "bin" / program.name).symlink_to(program)
    (venv / "bin/abaco").unlink()
    (venv / "bin/abaco").symlink_to(warm.programs() / "abaco")
    git = ["git", "-c", "user.name=abaco", "-c", "user.email=abaco@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet", "--initial-branch", "main"], *_commit("Good")):
        subprocess.run([*git, *command], cwd=root, check=True, env=environment())
    with (root / "params/kpis.yml").open("a") as file:
        file.write("# newer\n")
    for command in _commit("Newer"):
        subprocess.run([*git, *command], cwd=root, check=True, env=environment())
    for name in (".report", ".test"):
        (venv / name).touch()  # newer than the locks: it is set up
    return root


def _commit(message):
    return ["add", "."], ["commit", "--quiet", "-m", message]


def environment(**more):
    """The environment without what concerns abaco, make or git."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OTHERS)}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **more}


class Session:
    """One shell, in which the blocks follow each other as they would when somebody types them."""

    def __init__(self, root, **variables):
        self._said, self.root = queue.Queue(), root
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
            env=environment(ABACO_ENV="drill", **variables),
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()
        self._tell("set -uE -o pipefail; trap 'FAILED=$BASH_COMMAND' ERR")

    def _listen(self):
        for line in self._shell.stdout:
            self._said.put(line)
        self._said.put(None)

    def _tell(self, line):
        self._shell.stdin.write(f"{line}\n")
        self._shell.stdin.flush()

    def run(self, script, name="block"):
        """Run a script to its end and return what failed in it, if anything, and what it printed."""
        file = self.root.parent / f"{name}.sh"
        file.write_text(script)
        self._tell(f'FAILED=; . {shlex.quote(str(file))} </dev/null; echo; echo "--END-- $FAILED"')
        lines = []
        while not (line := self._said.get(timeout=TIMEOUT_SECONDS) or "--END-- the shell has ended").startswith(
            "--END--"
        ):
            lines.append(line)
        return line.removeprefix("--END--").strip(), "".join(lines)

    def close(self):
        """End the shell and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGTERM)
        self._shell.stdin.close()
        self._shell.wait(60)
