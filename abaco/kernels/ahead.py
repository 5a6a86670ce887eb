"""Kernels of notebooks that follow one another: each starts while the notebook before its own is executed."""

import asyncio
from pathlib import Path

import nbformat
from jupyter_client.client import KernelClient
from jupyter_client.manager import KernelManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient

from abaco.kernels.client import PATIENCE_SECONDS, PromptManager


class KernelAhead:
    """At most one kernel that is ready before it is needed, or about to be.

    It starts on the event loop that executes notebooks, so it comes along whenever a cell is waited for.

    Parameters
    ----------
    kernel
        The kernelspec.
    cwd
        The folder in which kernels work.
    """

    def __init__(self, kernel: str, cwd: Path):
        self._kernel, self._cwd, self._client, self._start = kernel, cwd, None, None

    def begin(self) -> None:
        """Begin to start a kernel, unless that has been done."""
        if self._client is None:
            self._client = NotebookClient(
                nbformat.v4.new_notebook(), kernel_name=self._kernel, kernel_manager_class=PromptManager,
                resources={"metadata": {"path": str(self._cwd)}}, shutdown_kernel="immediate",
                startup_timeout=PATIENCE_SECONDS,
            )  # fmt: skip
            self._start = _begun(self._client)

    def take(self) -> tuple[KernelManager, KernelClient] | None:
        """Return the manager and the client of the kernel once it is ready; None when there is none that lives."""
        client, start, self._client, self._start = self._client, self._start, None, None
        if client is None:
            return None
        if _is_ready(client, start):
            return client.km, client.kc
        _discard(client, start)
        return None

    def discard(self) -> None:
        """End the kernel, if there is one."""
        if self._client is not None:
            _discard(self._client, self._start)
            self._client, self._start = None, None


async def _start(client: NotebookClient) -> None:
    client.create_kernel_manager()
    await client.async_start_new_kernel()
    await client.async_start_new_kernel_client()


@run_sync
async def _begun(client: NotebookClient) -> asyncio.Task:
    start = asyncio.ensure_future(_start(client))
    await asyncio.sleep(0)  # as far as it comes without waiting: its process is then on its way
    return start


@run_sync
async def _is_ready(client: NotebookClient, start: asyncio.Task) -> bool:
    await asyncio.wait([start])
    return start.exception() is None and await client.km.is_alive()


@run_sync
async def _discard(client: NotebookClient, start: asyncio.Task) -> None:
    await asyncio.wait([start])
    if client.km is not None:  # else what had started was cleaned up when the rest failed
        await client._async_cleanup_kernel()
