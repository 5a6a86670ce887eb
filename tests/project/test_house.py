"""The house: which room may import what, where imports stand, who reads the environment, how long a module is."""

import ast
import functools
import graphlib
import re

import grimp
from importlinter.cli import lint_imports

from tests.support.projects import ROOT

PACKAGE = ROOT / "abaco"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
MIGRATIONS = "abaco.database.migrations."  # scripts of Alembic, which has rules of its own

# Places in which a function may import: what is slow to import, or installed only for some.
LATE_IMPORTS = {
    "abaco",  # `from abaco import Pipeline`, without which the command line would wait for the pipeline
    "abaco.cli",  # the verbs: each loads what it needs and nothing else
    "abaco.core.files",  # pyarrow, which an unchanged report does without
    "abaco.database.connection",  # Alembic, which only a new or an older database needs
    "abaco.delivery.azure",  # the SDK
    "abaco.engines.choice",  # Spark is optional, and an unchanged report needs no DuckDB
    "abaco.engines.spark_session",  # PySpark is optional
    "abaco.page.svg",  # Matplotlib, which words and tables of the page do without
    "abaco.run.papermill_engine",  # papermill loads this module at every start
    "abaco.run.plan",  # what an unchanged report does without, and Cascade's client
    "abaco.run.process",  # the same: IPython and papermill
    "abaco.workbook.certificates",  # fpdf2, which a report without facilities does without
}
# Modules that read the environment; every other module asks `secrets.read`.
ENVIRONMENT = {
    "abaco.core.logs",  # LOG_LEVEL
    "abaco.core.project",  # ABACO_ROOT
    "abaco.core.secrets",
    "abaco.core.settings",
    "abaco.engines.spark_session",
    "abaco.run.execution",  # sets MPLBACKEND for notebooks
    "abaco.run.process",  # passes the environment on to the processes of the phases
}
LONGEST, SHORTEST = 300, 40
SHORT = {
    "abaco.core.deadlines": "one function with a time limit",
    "abaco.core.decimals": "the context that every sum is made in",
    "abaco.core.net": "one sentence a network error",
    "abaco.core.parquet": "the types of Arrow, which is slow to import",
    "abaco.core.subjects": "what mail and delivery share",
    "abaco.ingest.sample_mark": "what marks the sample",
    "abaco.ingest.used_files": "what deliveries import of the roles of files",
    "abaco.run.papermill_engine": "papermill's entry point",
    "abaco.run.preload": "the imports of the fork server",
}
# Private names of dependencies that have no public counterpart.
PRIVATE = {
    # PySpark keeps the Java process of the first session, and would use it for the next one after its end
    "abaco.engines.spark_session SparkContext._gateway",
    "abaco.engines.spark_session SparkContext._jvm",
}
# private by its name alone: of named tuples, and of a process that ends at once
PUBLIC = {"_asdict", "_exit", "_fields", "_make", "_replace"}


@functools.cache
def nodes():
    """The nodes of every module, parsed when a test asks for them: each process collects this module."""
    return [(name, node) for name, path in MODULES.items() for node in ast.walk(ast.parse(path.read_text()))]


def check(found, allowed=()):
    """Every place that a rule does not allow is named, and every exception that nobody needs any more."""
    assert not (more := sorted(set(found) - set(allowed))), "\n".join(["not allowed:", *more])
    assert not (less := sorted(set(allowed) - set(found))), "\n".join(["no exception any more:", *less])


# Rooms


def test_contracts_of_import_linter_are_kept(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    code = lint_imports(no_cache=True, no_logo=True)
    assert code == 0, capsys.readouterr().out


def test_no_files_import_each_other_in_a_circle():
    graph = grimp.build_graph("abaco", cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    graphlib.TopologicalSorter(imports).prepare()  # raises an error that names a circle


def test_root_holds_rooms_alone():
    assert sorted(path.name for path in PACKAGE.glob("*.py")) == ["__init__.py", "__main__.py"]


def test_folders_of_the_tests_mirror_the_rooms():
    besides = {"deploy", "golden", "node", "params", "project", "reference", "spark", "support", "tools"}
    rooms, folders = (
        {path.parent.name for path in folder.glob("*/*") if path.parent.name[0] != "_" and path.is_file()}
        for folder in (PACKAGE, ROOT / "tests")
    )
    check(folders, rooms | besides)


# Imports


def test_imports_stand_at_the_top():
    assert len(LATE_IMPORTS) <= 12
    functions = [(name, one) for name, one in nodes() if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    imports = [(name, node) for name, function in functions for node in ast.walk(function)]
    late = {name for name, node in imports if isinstance(node, ast.Import | ast.ImportFrom)}
    check({re.sub(r"^abaco\.cli\..*", "abaco.cli", name) for name in late}, LATE_IMPORTS)


def test_only_one_function_prints():
    # it takes care of control characters; the other one is in an open notebook
    calls = [(name, node) for name, node in nodes() if isinstance(node, ast.Call)]
    check({name for name, call in calls if ast.unparse(call.func) == "print"}, {"abaco.core.text", "abaco.run.phase"})


def test_no_module_is_imported_by_a_string():
    calls = [(name, node) for name, node in nodes() if isinstance(node, ast.Call)]
    ways = ("importlib.import_module", "import_module", "__import__")
    check(f"{name}:{call.lineno}" for name, call in calls if ast.unparse(call.func) in ways)


def test_no_private_name_of_a_dependency_is_used():
    attributes = [(name, node) for name, node in nodes() if isinstance(node, ast.Attribute)]
    imports = [(name, node) for name, node in nodes() if isinstance(node, ast.ImportFrom)]
    used = [(name, node, node.attr) for name, node in attributes]
    used += [(name, node, one.name) for name, node in imports for one in node.names]
    stored = [node for _, node in attributes if isinstance(node.ctx, ast.Store)]
    own = {node.attr for node in stored if ast.unparse(node.value) in ("self", "cls")} | PUBLIC
    own |= {node.name for _, node in nodes() if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.id for _, node in nodes() if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names = {
        f"{name} {ast.unparse(node)}" for name, node, word in used if re.match("_[A-Za-z]", word) and word not in own
    }
    check(names, PRIVATE)


# Environment and length


def test_environment_is_read_in_few_places():
    attributes = [(name, node) for name, node in nodes() if isinstance(node, ast.Attribute)]
    check({name for name, node in attributes if ast.unparse(node) in ("os.environ", "os.getenv")}, ENVIRONMENT)


def test_modules_are_neither_long_nor_tiny():
    lines = {
        name: len(path.read_text().splitlines())
        for name, path in MODULES.items()
        if path.stem not in ("__init__", "__main__") and not name.startswith(MIGRATIONS)
    }
    check(f"{name}: {count} lines" for name, count in lines.items() if count > LONGEST)
    check({name for name, count in lines.items() if count < SHORTEST}, SHORT)
