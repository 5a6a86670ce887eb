"""Kernels of notebooks that follow one another: each starts, and ends, while another notebook is executed."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path

import nbformat
from jupyter_client.client import KernelClient
from jupyter_client.manager import KernelManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient

from abaco.kernels.client import PATIENCE_SECONDS, PromptManager


class KernelAhead:
    """At most one kernel that is ready before it is needed, or about to be; and those that are about to end.

    All that goes on happens on the event loop that executes notebooks, so it comes along whenever a cell is waited for.

    Parameters
    ----------
    kernel
        The kernelspec.
    cwd
        The folder in which kernels work.
    """

    def __init__(self, kernel: str, cwd: Path):
        self._kernel, self._cwd, self._client, self._start, self._ends = kernel, cwd, None, None, []

    def begin(self) -> None:
        """Begin to start a kernel, unless that has been done."""
        if self._client is None:
            self._client = NotebookClient(
                nbformat.v4.new_notebook(), kernel_name=self._kernel, kernel_manager_class=PromptManager,
                resources={"metadata": {"path": str(self._cwd)}}, shutdown_kernel="immediate",
                startup_timeout=PATIENCE_SECONDS,
            )  # fmt: skip
            self._start = _begun(_start(self._client))

    def take(self) -> tuple[KernelManager, KernelClient] | None:
        """Return the manager and the client of the kernel once it is ready; None when there is none that lives."""
        client, start, self._client = self._client, self._start, None
        if client is None:
            return None
        if _is_ready(client, start):
            return client.km, client.kc
        self.end(client)
        return None

    def end(self, client: NotebookClient) -> None:
        """Begin to end the kernel of a client."""
        self._ends.append(_begun(_end(client)))

    def close(self) -> None:
        """End the kernel that waits, if one does, and see all end."""
        if self._client is not None:
            _settled([self._start])
            self.end(self._client)
            self._client = None
        _settled(self._ends)


async def _start(client: NotebookClient) -> None:
    client.create_kernel_manager()
    await client.async_start_new_kernel()
    await client.async_start_new_kernel_client()
    client.kc.execute("pass", silent=True)  # a kernel's first execution takes long


async def _end(client: NotebookClient) -> None:
    if client.km is not None and client.km.has_kernel:  # else it was cleaned up when it failed to start
        await client._async_cleanup_kernel()


@run_sync
async def _begun(work: Coroutine) -> asyncio.Task:
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)  # as far as it comes without waiting: a process is then on its way, or told to end
    return task


@run_sync
async def _is_ready(client: NotebookClient, start: asyncio.Task) -> bool:
    await asyncio.wait([start])
    return start.exception() is None and await client.km.is_alive()


@run_sync
async def _settled(tasks: list[asyncio.Task]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
