"""The kernel provisioner ``abaco-fork``: papermill, nbval and JupyterLab get forked kernels from it."""

import asyncio
import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

from abaco.kernels.forking import ForkedKernel, Template, TemplateError

log = logging.getLogger(__name__)
LAUNCHER = [sys.executable, "-m", "ipykernel_launcher"]
PORTS = ("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port")


class ForkProvisioner(LocalProvisioner):
    """Launches kernels by forking them, and talks to them through sockets in a private folder.

    Where fork is not to be had (no Linux, a template that died or has threads), the kernel is an ordinary process.
    """

    _sockets: str | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Prepare the launch: IPC in a folder that only this user can open."""
        if os.name == "posix" and self.parent is not None and self._sockets is None:
            self._sockets = tempfile.mkdtemp(prefix="abaco-")
            self.parent.transport, self.parent.ip = "ipc", f"{self._sockets}/kernel"
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Launch a kernel and return its connection information."""
        cwd, env = kwargs.get("cwd") or os.getcwd(), kwargs.get("env") or dict(os.environ)
        forkable = sys.platform == "linux" and cmd[:3] == LAUNCHER and not kwargs.get("independent")
        if not forkable or not os.path.isdir(cwd):
            return await self._launch_ordinary(cmd, **kwargs)
        env = {**env, "JPY_PARENT_PID": str(os.getpid())}  # as ordinary kernels have it
        try:  # a first one may take seconds
            self.process = await asyncio.to_thread(_fork, cmd[3:], str(cwd), env)
        except (OSError, TemplateError) as error:
            log.warning("an ordinary kernel is started: %s", error)
            return await self._launch_ordinary(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = cwd
        await self._bound()
        return self.connection_info

    async def _launch_ordinary(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        try:
            return await super().launch_kernel(cmd, **kwargs)
        except BaseException:  # nobody cleans up after a kernel that was none
            await self.cleanup()
            raise

    async def _bound(self) -> None:
        """Wait until the kernel has its sockets: who connects to them too early tries again only after 0.1 s."""
        sockets = [Path(f"{self.connection_info['ip']}-{self.connection_info[port]}") for port in PORTS]
        deadline = time.monotonic() + 5
        while self.connection_info["transport"] == "ipc" and not all(path.exists() for path in sockets):
            if await self.poll() is not None or time.monotonic() > deadline:
                return
            await asyncio.sleep(0.002)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel, and see it end: who waits for it afterwards looks only ten times a second."""
        await super().kill(restart)
        deadline = time.monotonic() + 1
        while await self.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.002)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the sockets, unless the kernel is about to start again."""
        await super().cleanup(restart)
        if self._sockets is not None and not restart:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None


def _fork(argv: list[str], cwd: str, env: dict[str, str]) -> ForkedKernel:
    return Template.get(env).fork(argv, cwd, env)
