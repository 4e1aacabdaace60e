"""``python -m mediaconduit_broker.keeper FOLDER LEASE``: starts a keeper and returns once it listens.

FOLDER is private and holds its socket. Ends with 0 when the keeper runs, with 75 when another one holds the
folder already.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import Final, NoReturn

from mediaconduit_broker.keeper import processes
from mediaconduit_broker.keeper.keeper import Keeper

SOCKET: Final = "keeper.sock"
LOCK: Final = "keeper.lock"
LOG: Final = "keeper.log"
TAKEN: Final = 75


def main(arguments: Sequence[str]) -> NoReturn:
    """Listens, leaves the caller's process tree, keeps."""
    folder, lease = arguments
    os.chdir(folder)
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(TAKEN)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCKET)
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o077)
    listener.bind(os.path.join(folder, SOCKET))  # not the short name: who connects needs the long one
    listener.listen()
    os.umask(mask)  # sidecars have it from here
    if os.fork() > 0:
        os._exit(0)  # whoever started this need not wait for the keeper, and is not its parent
    os.setsid()
    os.truncate(lock, 0)
    os.write(lock, f"{os.getpid()} {processes.identity(os.getpid())}".encode())
    _run(folder, listener, float(lease))
    os._exit(0)


def _run(folder: str, listener: socket.socket, lease: float) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)
    processes.become_subreaper()
    keeper = Keeper(listener, lease)
    try:
        keeper.run()
    except Exception:
        with open(LOG, "w") as file:
            traceback.print_exc(file=file)
        os._exit(70)
    for name in (SOCKET, LOCK):
        os.unlink(name)
    with contextlib.suppress(OSError):
        os.rmdir(folder)
        os.rmdir(os.path.dirname(folder))  # of the sidecars' sockets, when there are none left


if __name__ == "__main__":
    main(sys.argv[1:])
