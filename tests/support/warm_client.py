"""A program that has the warm process do its work: a command as ``abaco``, a helper of multiprocessing as ``python``.

It runs without site-packages and imports little, so that it starts in a few hundredths of a second.
"""

import json
import os
import socket
import sys


def ask(path: str, request: dict, files: list[int], seconds: float | None = None) -> int:
    """Have a request carried out with open files of this process, and return its exit code when it has ended."""
    content = json.dumps(request).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.settimeout(seconds)
        socket.send_fds(connection, [len(content).to_bytes(4)], files)
        connection.sendall(content)
        return int(connection.recv(16))


def inherited() -> list[int]:
    """Return the files that were passed to this process, besides the three of every process."""
    found = []
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            if number > 2 and os.get_inheritable(number):
                found.append(number)
        except OSError:  # the listing's own
            continue
    return found


def main() -> int:
    program, *words = sys.argv
    folder, name = os.path.split(os.path.realpath(program))
    if words[:1] == ["serve"]:  # it is ended by a signal
        os.execv(os.path.join(os.path.dirname(sys.executable), name), sys.argv)
    request = {"folder": os.getcwd(), "environment": dict(os.environ), "files": [1, 2]}
    if name == "abaco":
        request["arguments"] = words
    else:
        code = words.index("-c") + 1
        request["files"] += inherited()
        request |= {"code": words[code], "arguments": words[code + 1 :]}
    ended = ask(os.path.join(folder, "socket"), request, request["files"])
    return ended if ended >= 0 else 128 - ended


if __name__ == "__main__":
    sys.exit(main())
