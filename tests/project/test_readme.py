"""The README: its command lines work in their order, as whoever reads it for the first time types them."""

import shutil

from tests.support.projects import ROOT, Project, copy_project

OPTIONS = {"DATE": "--date", "FROM": "--from", "TO": "--to", "INPUT": "--input", "PARAMS": "--params"}


def command(line):
    """Return the arguments of abaco for a line of the README: make's are those of the verb of the same name."""
    program, *words = line.partition("#")[0].partition("[")[0].split()
    if program == "make":
        words = [part for word in words for part in (word.split("=", 1) if "=" in word else [word])]
    return [OPTIONS.get(word, word) for word in words]


def test_command_lines_run_in_their_order_after_the_quick_start(tmp_path):
    root = copy_project(tmp_path / "project", ROOT / "params/kpis.yml")
    shutil.copytree(ROOT / "data/sample", root / "data/sample")
    (root / "params/pipeline.yml").write_bytes((ROOT / "params/pipeline.yml").read_bytes())
    project = Project(root, root / "reports")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [line[4:] for line in text.splitlines() if line.startswith(("    make ", "    .venv/bin/abaco "))]
    commands = [command(line) for line in shown if "path/to" not in line and line.split()[:2] != ["make", "test"]]
    ended = {" ".join(words): project.abaco(*words) for words in commands}
    assert {words.split()[0] for words in ended} >= {"report", "verify", "explain", "history", "compare", "status"}
    assert {words: one.stderr for words, one in ended.items() if one.returncode} == {}
