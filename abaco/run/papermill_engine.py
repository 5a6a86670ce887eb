"""The engine under the name ``abaco`` for papermill's command line, which loads this module at every start."""

from papermill.utils import nb_kernel_name, nb_language  # noqa: F401  what papermill asks an engine for


def execute_notebook(nb, kernel_name, **options):
    """Execute a notebook in this process."""
    from abaco.run.execution import NotebookEngine  # IPython takes long to import, and other engines do without

    return NotebookEngine.execute_notebook(nb, kernel_name, **options)
