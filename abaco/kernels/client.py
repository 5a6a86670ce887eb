"""A kernel client that is ready as soon as its kernel is."""

import time
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from traitlets import DottedObjectName

PATIENCE_SECONDS = 300  # for a kernel to start, and for the last outputs of a cell, on a busy machine


class PromptClient(AsyncKernelClient):
    """Ready when the kernel has answered and said that it is idle; others then wait for 0.2 s of silence."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on its shell and its IOPub channel.

        Raises
        ------
        RuntimeError
            When the kernel died, or has not answered in `timeout` seconds.
        """
        deadline = time.monotonic() + (timeout or float("inf"))
        while True:
            request = self.kernel_info()
            try:
                reply = await self.get_shell_msg(timeout=1)
                while reply["parent_header"].get("msg_id") != request:
                    reply = await self.get_shell_msg(timeout=1)
                while True:
                    said = await self.get_iopub_msg(timeout=0.2)
                    if (
                        said["parent_header"].get("msg_id") == request
                        and said["content"].get("execution_state") == "idle"
                    ):
                        self._handle_kernel_info_reply(reply)
                        return
            except Empty:  # not there yet, or IOPub was connected too late to hear of it: ask again
                pass
            if not await self.is_alive():
                raise RuntimeError("The kernel died before it was ready")
            if time.monotonic() > deadline:
                raise RuntimeError(f"The kernel was not ready within {timeout} seconds")


class PromptManager(AsyncKernelManager):
    """A kernel manager whose clients are `PromptClient`, and whose kernels keep no history of their cells.

    All kernels of a user would share one, wait for it, and take it for broken when that is long.
    """

    client_class = DottedObjectName("abaco.kernels.client.PromptClient")
    client_factory = PromptClient

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """Return the command that starts the kernel."""
        return super().format_kernel_cmd([*(extra_arguments or ()), "--HistoryManager.enabled=False"])

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        """End the kernel; `now` kills it before others interrupt it, of which it might complain on standard error."""
        if now and self.has_kernel:
            await self.provisioner.kill(restart)
        await super().shutdown_kernel(now, restart)
