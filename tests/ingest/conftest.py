"""What tests of ingestion share."""

import shutil

import pytest

from abaco.core import project


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A project whose mappings a test may write."""
    folder = tmp_path / "project"
    shutil.copytree(project.root() / "params", folder / "params")
    monkeypatch.setenv("ABACO_ROOT", str(folder))
    return folder
