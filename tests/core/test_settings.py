"""Settings: the layers, and an error of one line with file and key for whatever can be wrong with them."""

import json
from pathlib import Path

import pytest
import yaml

from abaco.core import settings
from abaco.core.errors import InputError
from abaco.page import language


@pytest.fixture
def folder(copied_project, monkeypatch):
    """A copy of the project that settings are read from."""
    monkeypatch.setenv("ABACO_ROOT", str(copied_project))
    monkeypatch.delenv("ABACO_ENV", raising=False)
    return copied_project


def refusal(*arguments, **more):
    with pytest.raises(InputError) as caught:
        settings.load(*arguments, **more)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_settings_are_those_of_pipeline_yml(folder):
    assert settings.load() == yaml.safe_load((folder / "params/pipeline.yml").read_text())


def test_pair_without_a_value_is_an_empty_text():
    assert settings.load("service.cron=")["service"]["cron"] == ""
    assert refusal("run.threads=").startswith("--params: run.threads: ")


def test_pairs_change_single_keys_and_the_file_stays_the_base(folder):
    usual = settings.load()
    found = settings.load("ingestion.max_reject_pct=2.5, output.csv_tables=false,report.history_dates=3")
    assert found["ingestion"] == {**usual["ingestion"], "max_reject_pct": 2.5}
    assert found["output"] == {"csv_tables": False, "pdf": "none"}
    assert found["report"] == {**usual["report"], "history_dates": 3}
    assert found["run"] == usual["run"]


def test_whole_number_will_do_for_a_float(folder):
    assert settings.load("ingestion.max_reject_pct=2")["ingestion"]["max_reject_pct"] == 2


def test_dict_and_file_change_single_keys(folder, tmp_path):
    changes = {"calculation": {"max_change_pct": 10.0}}
    path = tmp_path / "mine.yml"
    path.write_text(yaml.safe_dump(changes))
    for given in (changes, path, str(path)):
        usual = settings.load()["calculation"]
        assert settings.load(given)["calculation"] == {**usual, "max_change_pct": 10.0}


def test_command_line_goes_before_everything_and_none_leaves_a_setting(folder):
    found = settings.load("run.output=elsewhere", output="here", engine=None)
    assert (found["run"]["output"], found["run"]["engine"]) == ("here", "duckdb")


def test_overlay_of_the_environment_lies_between_file_and_caller(folder, monkeypatch):
    (folder / "params/staging.yml").write_text("run:\n  output: staged\ncalculation:\n  max_change_pct: 10.0\n")
    monkeypatch.setenv("ABACO_ENV", "staging")
    found = settings.load("calculation.max_change_pct=5")
    assert (found["run"]["output"], found["calculation"]["max_change_pct"]) == ("staged", 5)
    assert found["run"]["input"] == "data/sample.csv"


def test_missing_overlay_is_named(folder, monkeypatch):
    monkeypatch.setenv("ABACO_ENV", "staging")
    assert refusal() == "Parameter file not found: params/staging.yml: check its path"


@pytest.mark.parametrize(
    ("pair", "fault"),
    [
        ("ingestion.max_reject=2", " is not a known parameter; ingestion has: max_reject_pct,"),
        ("ingestion.run_dir=x", " is not a known parameter; ingestion has: max_reject_pct,"),
        ("run.inputs=x", " is not a known parameter; run has: input, output,"),
        ("run.engine=pandas", ": write 'duckdb' or 'spark', not 'pandas'"),
        ("run.lock_timeout_seconds=-1", ": write 0 or more, not -1"),
        ("run.threads=4000", ": write 1024 or less, not 4000"),
        ("retention.keep_days=999999999", ": write 36500 or less, not 999999999"),
        ("report.history_dates=1" + "0" * 90, ": write 1200 or less, not 1000000000"),
        ("report.history_dates=0", ": write 1 or more, not 0"),
        ("ingestion.max_reject_pct=101", ": write 100 or less, not 101"),
        ("ingestion.max_reject_amount_pct=100.5", ": write 100 or less, not 100.5"),
        ("transformation.outlier_multiple=0", ": write 1 or more, not 0"),
        ("transformation.dust_usd=10000000000000", ": write 1000000000000 or less, not 10000000000000"),
        ("calculation.max_rows_change_pct=1001", ": write 1000 or less, not 1001"),
        ("calculation.max_change_pct=1000000", ": write 100000 or less, not 1000000"),
        ("calculation.max_absent_pct=101", ": write 100 or less, not 101"),
        ("calculation.loss_given_default_pct=101", ": write 100 or less, not 101"),
        ("calculation.default_probability_pct=5", ": in a file of settings, write five numbers from 0 to 100, such as"),
        ("calculation.default_probability_pct='much'", ": in a file of settings, write five numbers from 0 to 100"),
        ("run.input=2025-12-31", ": write text, not 2025-12-31"),
        (f"run.output={'x' * 300}", ": it is longer than a path can be: shorten it"),
        ("ingestion.max_reject_pct=much", ": write a number, such as 1500.00, not 'much'"),
        ("ingestion.max_reject_pct=true", ": write a number, such as 1500.00, not true"),
        ("ingestion.max_reject_pct=", ": write a number, such as 1500.00, not ''"),
        ("ingestion.max_reject_pct=.nan", ": write a number that is not infinite, not nan"),
        ("report.history_dates=2.5", ": write a whole number, not 2.5"),
        ("output.csv_tables=1", ": write true or false, not 1"),
    ],
)
def test_unknown_or_mistyped_key_is_named(folder, pair, fault):
    assert refusal(pair).startswith(f"--params: {pair.split('=')[0]}{fault}")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ("ingest.max_reject_pct=2", "--params: ingest is not one of the sections run, delivery, alerts, cascade, "),
        ("max_reject_pct=2", "--params max_reject_pct=2: write section.key=value, for example"),
        ("ingestion.max.reject=2", "--params ingestion.max.reject=2: write section.key=value"),
        ("run.input=[&a [x]-*a-*a]", "--params run.input=[&a [x]-*a-*a]: '[&a [x]-*a-*a]' is not a valid value"),
        ("run.input=[a", "--params run.input=[a: '[a' is not a valid value: put it in quotes"),
        ({"calculation": {"max": 1}}, "params: calculation.max is not a known parameter; calculation has: "),
        ({"calculation": 5}, "params: calculation is a section: write its keys below it"),
        ({"calculation": None}, "params: calculation is a section: write its keys below it"),
    ],
)
def test_other_faults_in_the_changes_are_named(folder, changes, expected):
    assert refusal(changes).startswith(expected)


def test_missing_parameter_file_is_named(folder):
    assert refusal("nowhere.yml") == "Parameter file not found: nowhere.yml: check its path"


def test_setting_without_a_value_is_no_file_either(folder):
    told = refusal("ingestion.max_reject_pct")
    assert told.endswith("ingestion.max_reject_pct: check its path, or give section.key=value")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("run: [", " is not valid YAML: "),
        ("run:\n  input: a\n  input: b\n", " is not valid YAML: input is there twice"),
        ("run:\n  a: &x [1, 2]\n  b: [*x, *x]\n", " is not valid YAML: *x is an alias, in line 3: write it out"),
        ("run: " + "[" * 5000, " is not valid YAML: more than 20 levels, in line 1"),
        ("#" * (1 << 20) + "\n", " is larger than 1 MiB: give a file of settings"),
        ("- run\n", " holds no named entries: "),
        ("run\n", " holds no named entries: "),
        ("ingestion:\n  max_rejects_pct: 5\n", ": ingestion.max_rejects_pct is not a known parameter"),
    ],
)
def test_fault_in_a_parameter_file_is_named(folder, tmp_path, content, expected):
    path = tmp_path / "mine.yml"
    path.write_text(content)
    assert refusal(str(path)).startswith(f"{path}{expected}")


def test_empty_parameter_file_changes_nothing(folder, tmp_path):
    (tmp_path / "mine.yml").write_text("# nothing\n")
    assert settings.load(tmp_path / "mine.yml") == settings.load()


def test_key_that_a_notebook_needs_and_pipeline_yml_lacks_is_named(folder):
    path = folder / "params/pipeline.yml"
    path.write_text(path.read_text().replace("  max_change_pct: 25.0\n", ""))
    assert (
        refusal() == "params/pipeline.yml: calculation.max_change_pct is missing: a parameter of the notebook needs it"
    )


# Parameters of a notebook


def parameters_cell(folder, source, tags=("parameters",)):
    cell = {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source.splitlines(keepends=True)}
    path = folder / "notebooks/03_calculation.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "metadata": {}, "source": []}, cell]}))
    return path


def test_parameters_are_read_with_type_and_default(folder):
    path = parameters_cell(
        folder, 'run_dir: str = ""  # a comment\nlimit: float = -1.5\ntimes: int = 3\nnow: bool = False\n'
    )
    assert settings.notebook_parameters(path) == {
        "run_dir": (str, ""),
        "limit": (float, -1.5),
        "times": (int, 3),
        "now": (bool, False),
    }


def test_notebook_without_a_parameters_cell_is_named(folder):
    parameters_cell(folder, 'run_dir: str = ""', tags=())
    assert refusal().endswith(
        "notebooks/03_calculation.ipynb has no cell tagged parameters: tag the one that sets them"
    )


@pytest.mark.parametrize("line", ["limit = 5", "limit: list = []", "limit: 'float' = 5", "import math"])
def test_parameter_without_annotation_is_named(folder, line):
    parameters_cell(folder, f'run_dir: str = ""\n{line}')
    error = refusal()
    assert f"03_calculation.ipynb: write {line!r} as `name: type = value`" in error or "limit: 'float'" in line
    assert error.endswith("with a type of str, int, float, bool")


def test_parameter_without_a_value_is_named(folder):
    parameters_cell(folder, 'run_dir: str = ""\nlimit: float')
    assert "write 'limit: float' as `name: type = value`" in refusal()


def test_parameter_with_a_computed_value_is_named(folder):
    parameters_cell(folder, 'run_dir: str = ""\nlimit: float = 5 * other')
    assert "write 'limit: float = 5 * other' as `name: type = value`" in refusal()


def test_notebook_that_takes_no_run_dir_is_named(folder):
    parameters_cell(folder, "max_change_pct: float = 25.0")
    assert refusal().endswith("notebooks/03_calculation.ipynb has no parameter run_dir, which the pipeline sets")


def test_missing_notebook_is_named(folder):
    (folder / "notebooks/03_calculation.ipynb").unlink()
    assert refusal() == "Notebook not found: notebooks/03_calculation.ipynb: restore it"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("report.language=xx", "report.language: write 'en' or 'es', not 'xx'"),
        ("ingestion.decimal_mark=z", "ingestion.decimal_mark: write 'auto', 'point' or 'comma'"),
        ('run.output="a\\x1b[31m"', "run.output: it holds characters that cannot be seen"),
        ('delivery.email_from="x\\nBcc: a@example.org"', "delivery.email_from: it holds characters"),
        ("run.threads=1025", "run.threads: write 1024 or less"),
        ("retention.keep_days=36501", "retention.keep_days: write 36500 or less"),
        ("cascade.url=host/x.csv", "cascade.url: write https://host/…, or the token could be read on the way"),
        ("cascade.url=http://a.example/x", "cascade.url: write https://host/…"),
        ("cascade.url=https://me:secret@a.example/", "cascade.url: it holds a user or a password: take it out"),
        ("cascade.url=https://host:port/", "cascade.url: it is not a valid address"),
        ("delivery.azure_prefix=a//b", "delivery.azure_prefix: write folders with / between them"),
        ("delivery.azure_prefix=../b", "delivery.azure_prefix: write folders with / between them"),
        ("report.kernel=python9", "report.kernel is not a known parameter"),
    ],
)
def test_setting_out_of_bounds_is_refused(change, message):
    with pytest.raises(InputError) as error:
        settings.load(change)
    assert message in str(error.value) and "secret" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [{"cascade": {"url": text}} for text in ("", "https://a.example/x.csv?y=1", "http://127.0.0.1:9/x.csv")]
    + [{"delivery": {"azure_prefix": text}} for text in ("", "reports", "/reports/2025/")],
)
def test_address_and_folder_of_blobs_are_as_they_are_written(change):
    [(section, keys)] = change.items()
    assert settings.load(change)[section] | keys == settings.load(change)[section]


def test_languages_are_those_of_the_page():
    folder = Path(language.__file__).parent / "languages"
    assert set(settings.WORDS["language"]) == {"en", *(path.stem for path in folder.glob("*.yml"))}
