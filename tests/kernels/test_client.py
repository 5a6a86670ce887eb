"""A client that is ready when its kernel is."""

import asyncio
import os
import signal

import pytest

from abaco.kernels.client import PromptClient, PromptManager

from .helpers import PATIENCE_SECONDS


async def started(name, **launch):
    manager = PromptManager(kernel_name=name)
    await manager.start_kernel(**launch)
    client = manager.client()
    client.start_channels()
    return manager, client


async def ended(manager, client):
    client.stop_channels()
    await manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("name", ["abaco", "python3"])
def test_ready_means_that_every_output_arrives(scratch, name):
    async def outputs():
        manager, client = await started(name)
        assert isinstance(client, PromptClient)
        await client.wait_for_ready(timeout=PATIENCE_SECONDS)
        found = []
        await client.execute_interactive("print(6 * 7)", output_hook=found.append, timeout=PATIENCE_SECONDS)
        left = await client.shell_channel.msg_ready()
        await ended(manager, client)
        return [message["content"]["text"] for message in found if message["msg_type"] == "stream"], left

    assert asyncio.run(outputs()) == (["42\n"], False)


@pytest.mark.parametrize("name", ["abaco", "python3"])
def test_kernel_that_dies_before_it_is_ready(scratch, name):
    async def wait():
        manager, client = await started(name)
        os.kill(manager.provisioner.pid, signal.SIGKILL)
        try:
            await client.wait_for_ready(timeout=PATIENCE_SECONDS)
        finally:
            await ended(manager, client)

    with pytest.raises(RuntimeError, match="died"):
        asyncio.run(wait())


@pytest.mark.parametrize("name", ["abaco", "python3"])
def test_kernel_that_is_ended_at_once_is_not_interrupted_before(scratch, name):
    async def sent():
        manager, client = await started(name)
        await client.wait_for_ready(timeout=PATIENCE_SECONDS)
        numbers, send = [], manager.provisioner.send_signal

        async def noted(number):
            numbers.append(number)
            await send(number)

        manager.provisioner.send_signal = noted
        await manager.shutdown_kernel(now=True)
        client.stop_channels()
        return numbers

    assert asyncio.run(sent())[0] == signal.SIGKILL


def test_kernel_that_does_not_answer_in_time(scratch):
    async def wait():
        manager, client = await started("abaco")
        os.kill(manager.provisioner.pid, signal.SIGSTOP)
        try:
            await client.wait_for_ready(timeout=0.1)
        finally:
            await ended(manager, client)

    with pytest.raises(RuntimeError, match=r"not ready within 0\.1 seconds"):
        asyncio.run(wait())


@pytest.mark.parametrize("name", ["abaco", "python3"])
def test_kernel_leaves_no_history_of_its_cells(scratch, tmp_path, name):
    async def run():
        manager, client = await started(name, env={**os.environ, "IPYTHONDIR": str(tmp_path)})
        await client.wait_for_ready(timeout=PATIENCE_SECONDS)
        reply = await client.execute_interactive("1", timeout=PATIENCE_SECONDS)
        await ended(manager, client)
        return reply["content"]["status"]

    assert asyncio.run(run()) == "ok"
    assert (tmp_path / "profile_default").is_dir() and not list(tmp_path.rglob("history*"))


def test_ready_again_after_a_restart(scratch):
    async def wait():
        manager, client = await started("abaco")
        await client.wait_for_ready(timeout=PATIENCE_SECONDS)
        await manager.restart_kernel(now=True)
        await client.wait_for_ready(timeout=PATIENCE_SECONDS)
        reply = await client.execute_interactive("1", timeout=PATIENCE_SECONDS)
        await ended(manager, client)
        return reply["content"]["status"]

    assert asyncio.run(wait()) == "ok"
