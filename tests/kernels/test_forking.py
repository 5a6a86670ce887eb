"""Kernels forked at request: who they belong to, how they end, and what becomes of them when somebody dies."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from abaco.kernels.forking import ForkedKernel, Template, TemplateError

from .helpers import children, descriptors, gone, parent, status, until

VERSION = ["--version"]  # of a kernel that prints it and ends


def fork(argv=VERSION, **env):
    return Template.get().fork(argv, os.getcwd(), {**os.environ, **env})


def lasting(folder):
    """Arguments of a kernel that does not end of itself."""
    return ["--transport=ipc", f"--ip={folder}/own", "-f", f"{folder}/own.json"]


def test_each_kernel_is_a_process_of_its_own_under_the_template(kernel):
    one, other = kernel(), kernel()
    template = Template.get().process.pid
    assert isinstance(one.process, ForkedKernel)
    assert len({one.pid, other.pid, template, os.getpid()}) == 4
    for each in (one, other):
        assert each.run("import os; print(os.getpid(), os.getppid(), os.getpgid(0), os.getsid(0))") == (
            f"{each.pid} {template} {each.pid} {each.pid}"
        )


def test_requests_of_several_threads_get_their_own_kernels(kernel):
    def start(number):
        one = kernel(env={**os.environ, "ABACO_TEST": str(number)})
        return one, one.run("import os; print(os.environ['ABACO_TEST'], os.getpid())")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(start, range(6)))
    assert [said for _, said in answers] == [f"{number} {one.pid}" for number, (one, _) in enumerate(answers)]
    assert {parent(one.pid) for one, _ in answers} == {Template.get().process.pid}


def test_threads_share_one_template():
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: Template.get(), range(8)))) == 1


@pytest.mark.parametrize(
    "code, expected",
    [("get_ipython().kernel.do_shutdown(False)", 0), ("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", -9)],
)
def test_exit_status(kernel, code, expected):
    one = kernel()
    process = one.process
    assert process.poll() is None
    one.send(f"import os; {code}") if expected else one.client.shutdown()
    assert process.wait() == expected
    assert process.poll() == expected
    assert until(lambda: status(process.pid) == {})  # the template has reaped it


def test_exit_status_is_waited_for_while_the_template_is_busy(scratch):
    one, template = fork(lasting(scratch)), Template.get().process
    os.kill(template.pid, signal.SIGSTOP)
    one.kill()
    threading.Timer(1.5, os.kill, (template.pid, signal.SIGCONT)).start()
    assert one.wait() == -signal.SIGKILL


def test_status_that_nobody_knows_is_1(kernel):
    one = kernel()
    template, process = Template.get().process, one.process
    template.kill()
    template.wait()
    assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == 1
    assert process.poll() == 1


def test_kernels_outlive_a_killed_template_and_the_next_request_starts_another(kernel):
    one = kernel()
    former = Template.get().process
    former.kill()
    former.wait()
    other = kernel()
    assert parent(other.pid) == Template.get().process.pid != former.pid
    assert one.run("print(1 + 1)") == "2"
    one.manager.restart_kernel(now=True)
    assert parent(one.pid) == Template.get().process.pid


def test_end_of_a_kernel_whose_template_was_replaced(kernel):
    process, ended = kernel().process, fork()
    assert until(lambda: status(ended.pid) == {})
    Template.get().close()
    assert Template.get().process.poll() is None
    assert ended.poll() == 0  # told before
    assert process.poll() is None
    process.kill()
    assert process.wait() == 1


def test_a_dead_template_is_an_error_and_not_a_wait():
    template = Template.get()
    template.process.kill()
    template.process.wait()
    with pytest.raises(TemplateError, match="dead"):
        template.fork(VERSION, os.getcwd(), dict(os.environ))


def test_answer_that_came_too_late_is_not_taken_for_another_request(scratch):
    class Interrupted(BaseException):
        pass

    def interrupt(*_):
        raise Interrupted

    stopped = Template.get().process
    fork().kill()
    os.kill(stopped.pid, signal.SIGSTOP)
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(Interrupted):
            fork()
    finally:
        signal.signal(signal.SIGALRM, before)
    one = fork(lasting(scratch))
    assert parent(one.pid) == Template.get().process.pid != stopped.pid
    one.kill()
    assert one.wait() == -signal.SIGKILL


def test_many_launches_leave_no_descriptor_and_no_process(scratch):
    fork().kill()
    before = descriptors(os.getpid()).keys()
    for _ in range(50):
        one = fork(lasting(scratch))
        one.kill()
        assert one.wait() == -signal.SIGKILL
    assert descriptors(os.getpid()).keys() == before
    assert until(lambda: children(Template.get().process.pid) == [])


def test_template_whose_variables_python_reads_at_its_start_is_replaced(kernel):
    former = Template.get()
    one = kernel(env={**os.environ, "PYTHONPATH": "/nowhere:" + os.environ.get("PYTHONPATH", "")})
    assert one.run("import sys; print('/nowhere' in sys.path)") == "True"
    assert Template.get() is not former
    assert former.process.poll() is not None


LIVING = """
import os, sys, time
from helpers import Kernel
from abaco.kernels.forking import Template
kernel = Kernel()
print(Template.get().process.pid, kernel.pid, kernel.sockets, kernel.manager.connection_file, flush=True)
"""


def test_kernels_end_with_a_killed_asker_and_leave_nothing(copied, asker, scratch):
    process = asker(LIVING + "time.sleep(600)", wait=False, path=[copied])
    template, one, sockets, connection = process.stdout.readline().split()
    assert not gone(int(one))
    process.kill()
    process.wait()
    assert until(lambda: gone(int(one)) and gone(int(template)))
    assert not os.path.exists(sockets)
    assert not os.path.exists(connection)


@pytest.mark.parametrize("end", ["", "kernel.end()"], ids=["kernel left running", "kernel ended"])
def test_asker_ends_without_a_message_or_a_remainder(copied, asker, end):
    result = asker(LIVING + end, path=[copied])
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    template, one, sockets, _ = result.stdout.split()
    assert gone(int(template))
    assert until(lambda: gone(int(one)) and not os.path.exists(sockets))


def test_asker_ends_with_answers_unread(copied, asker):
    script = """
import os, time
from abaco.kernels.forking import Template
one = Template.get().fork(["--version"], os.getcwd(), dict(os.environ))
while os.path.exists(f"/proc/{one.pid}"):
    time.sleep(0.01)
os._exit(0)  # nothing closes the template
"""
    result = asker(script, path=[copied])
    assert (result.returncode, result.stderr) == (0, "")


def test_polite_end_of_a_kernel_with_all_imports_prints_nothing(asker):
    result = asker(LIVING + "kernel.client.stop_channels(); kernel.manager.shutdown_kernel()")
    assert (result.returncode, result.stderr, result.stdout.count("\n")) == (0, "", 1)


def test_asker_that_ends_while_the_template_still_imports(asker):
    script = (
        "from abaco.kernels.forking import Template, prepare\n"
        "prepare(); print(Template.get().process.pid, flush=True)"
    )
    process = asker(script, wait=False)
    template = int(process.stdout.readline())
    assert process.wait() == 0
    assert gone(template)


def test_fork_of_the_asker_has_a_template_of_its_own_and_does_not_keep_kernels_alive(copied, asker):
    fork_too = """
if os.fork() == 0:  # jupyter_client does not survive a fork, so the kernel is asked for directly
    options = ["--transport=ipc", f"--ip={os.getcwd()}/own", "-f", f"{os.getcwd()}/own.json"]
    other = Template.get().fork(options, os.getcwd(), dict(os.environ))
    print(Template.get().process.pid, other.pid, os.getpid(), kernel.process.poll(), flush=True)
time.sleep(600)
"""
    process = asker(LIVING + fork_too, wait=False, path=[copied])
    template, one, *_ = process.stdout.readline().split()
    its_template, other, forked, state = process.stdout.readline().split()
    try:
        assert its_template != template
        assert state == "None"
        assert (parent(int(one)), parent(int(other))) == (int(template), int(its_template))
        process.kill()
        assert until(lambda: gone(int(one)) and gone(int(template)))
        assert not gone(int(other))
    finally:
        os.kill(int(forked), signal.SIGKILL)
    assert until(lambda: gone(int(other)) and gone(int(its_template)))


def test_template_is_replaced_when_the_code_has_changed(copied, asker):
    script = LIVING.replace("print(", "import abaco; former = Template.get(); print(abaco.__file__, ") + (
        "path = abaco.__path__[0] + '/dates.py'\n"
        "os.utime(path, (time.time() + 60,) * 2)\n"
        "other = Kernel()\n"
        "print(Template.get() is former, former.process.poll(), kernel.run('print(40 + 2)'), kernel.process.poll())\n"
        "kernel.process.kill(); print(kernel.process.wait()); kernel.end(); other.end()"
    )
    result = asker(script, path=[copied])
    first, second, third = result.stdout.splitlines()
    assert first.startswith(str(copied))
    assert second == "False -9 42 None"
    assert third == "1"
    assert result.stderr == ""


@pytest.mark.parametrize(
    "fault, message",
    [
        ("threading.Thread(target=time.sleep, args=(600,), daemon=True).start()", "2 threads"),
        ("raise SystemExit(5)", "dead"),
    ],
    ids=["a thread", "does not start"],
)
def test_ordinary_kernel_where_the_template_fails(copied, asker, fault, message):
    path = copied / "abaco" / "kernels" / "template.py"
    path.write_text(path.read_text().replace("    gc.disable()", f"    {fault}\n    gc.disable()"))
    script = """
import os, logging
from helpers import Kernel
logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
kernel = Kernel()
print(type(kernel.process).__name__, kernel.run("import os; print(os.getppid())") == str(os.getpid()))
kernel.end()
"""
    result = asker(script, path=[copied])
    assert result.stdout == "Popen True\n"
    log = [line for line in result.stderr.splitlines() if line.startswith("WARNING abaco")]
    assert len(log) == 1
    assert log[0].startswith("WARNING abaco.kernels.provisioner an ordinary kernel is started: ")
    assert message in log[0]
