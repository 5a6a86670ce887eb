"""What is no ordinary export is refused in one line, or told beside the others: nothing hangs or is dropped."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from abaco.core.errors import InputError
from abaco.ingest import discovery
from tests.support.exports import SNAPSHOT, snapshot, write

pytestmark = pytest.mark.skipif(os.name != "posix", reason="these kinds of files are POSIX's")


def odd(folder, kind):
    """Make something that is called like an export, and is none."""
    path = folder / f"{kind}.csv"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "link":
        path.symlink_to(folder / "nothing")
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        # the address of a socket is short, whatever the test's folder is called
        before = Path.cwd()
        os.chdir(folder)
        socket.socket(socket.AF_UNIX).bind(path.name)
        os.chdir(before)
    return path


KINDS = ("fifo", "folder", "loop", "link", "device", "socket")


@pytest.mark.parametrize("kind", KINDS)
def test_odd_input_is_an_error(tmp_path, kind):
    with pytest.raises(InputError, match=r"neither a file nor a folder|not found|it is empty"):
        discovery.discover(odd(tmp_path, kind))


def test_odd_files_of_a_folder_are_told(tmp_path):
    write(tmp_path / "book.csv", SNAPSHOT, snapshot())
    for kind in KINDS:
        odd(tmp_path, kind)
    found, skipped = discovery.discover(tmp_path)
    assert [source.name for source in found] == ["book.csv"]
    assert {s.name for s in skipped} == {f"{kind}.csv" for kind in KINDS}
    assert {s.reason for s in skipped} == {"not a file, or a link to none"}


@pytest.mark.parametrize("is_folder", [True, False])
def test_name_that_is_not_utf8_is_an_error(tmp_path, is_folder):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv"))
    try:
        write(path, SNAPSHOT, snapshot())
    except OSError:
        pytest.skip("this file system has names in UTF-8 only")
    with pytest.raises(InputError, match=r"^The name .*�.csv is not UTF-8: rename it$"):
        discovery.discover(tmp_path if is_folder else path)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("a," * 39_999 + "b", r"^book.csv has 40,000 columns, more than 5,000"),
        (f"{SNAPSHOT},{'x' * 1001}", r"^book.csv has a heading of 1,001 characters"),
        (f"{SNAPSHOT},{'x' * (1 << 20)}", r"^book.csv has a first line of more than 256 KiB"),
    ],
)
def test_first_line_that_no_export_has_is_an_error(tmp_path, head, message):
    with pytest.raises(InputError, match=message):
        discovery.discover(write(tmp_path / "book.csv", head, snapshot()))


def test_file_that_cannot_be_read_is_an_error():
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "book.csv", SNAPSHOT, snapshot())
        Path(folder).chmod(0o755)
        path.chmod(0)
        if user == 0:  # root may read every file
            os.seteuid(65534)
        try:
            with pytest.raises(
                InputError, match=r"^book.csv cannot be read: Permission denied: check its permissions$"
            ):
                discovery.discover(path)
        finally:
            os.seteuid(user)
