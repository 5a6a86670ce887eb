"""A kernel ahead: it is ready when it is taken, a dead one is not handed out, and none is left behind."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from abaco.kernels.ahead import KernelAhead


@pytest.fixture
def ahead(tmp_path):
    made = KernelAhead("abaco", tmp_path)
    yield made
    made.close()


def with_cell(source):
    return NotebookClient(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]))


def test_taken_kernel_executes_the_notebook_as_its_first(ahead, tmp_path):
    ahead.begin()
    client = with_cell("import os; os.getcwd()")
    client.km, client.kc = ahead.take()
    with client.setup_kernel(cleanup_kc=False):
        cell = client.execute_cell(client.nb.cells[0], 0)
    assert cell.execution_count == 1
    assert cell.outputs[0]["data"]["text/plain"] == repr(str(tmp_path))
    process, sockets = client.km.provisioner.process, Path(client.km.ip).parent
    ahead.end(client)
    ahead.close()
    assert process.poll() is not None
    assert not sockets.exists()


def test_there_is_none_unless_one_was_begun(ahead):
    assert ahead.take() is None
    ahead.begin()
    client = with_cell("")
    client.km, client.kc = ahead.take()
    assert ahead.take() is None
    ahead.end(client)


def test_dead_kernel_is_not_handed_out(ahead):
    ahead.begin()
    manager, client = ahead.take()
    manager.provisioner.process.kill()
    manager.provisioner.process.wait()
    ahead._client = NotebookClient(nbformat.v4.new_notebook())  # as if it had died while it waited
    ahead._client.km, ahead._client.kc = manager, client
    assert ahead.take() is None
    ahead.close()
    assert not Path(manager.connection_file).exists()


def test_kernel_that_nobody_took_ends(ahead):
    ahead.begin()
    client = ahead._client
    ahead.close()
    assert client.km is None
    ahead.close()
