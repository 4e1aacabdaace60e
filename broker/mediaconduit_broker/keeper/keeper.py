"""The loop: sidecars' pipes and ends, brokers' requests, the lease."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, Final

from mediaconduit_broker.keeper import processes
from mediaconduit_broker.keeper.held import Held
from mediaconduit_broker.keeper.peer import Peer
from mediaconduit_broker.keeper.protocol import PROTOCOL, Request

_GRACE_SECONDS: Final = 5.0
"""Between asking all sidecars to end and killing them."""
_UNFINISHED: Final = ("the keeper is ending", "ending")

Ready = Callable[[int], None]


class _RefusedError(Exception):
    """A request that cannot be served: (message, code)."""


class Keeper:
    """Holds sidecars until it is told to end them, or nobody has asked for anything for the time of the lease.

    Args:
        listener: A listening Unix socket in a folder that only this user may enter.
        lease: Seconds.
    """

    def __init__(self, listener: socket.socket, lease: float) -> None:
        self._listener = listener
        self._lease = lease
        self._renewed = time.monotonic()
        self._held: dict[str, Held] = {}
        self._peers: set[Peer] = set()
        self._selector = selectors.DefaultSelector()
        self._kill_at: float | None = None
        """When what still runs is killed; None = it is not ending."""

    def run(self) -> None:
        """Returns when it has ended everything."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._end())
        signal.signal(signal.SIGHUP, lambda *_: None)  # to ignore it would make sidecars ignore it, too
        self._selector.register(ours, selectors.EVENT_READ, lambda _: self._reap(ours))
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, lambda _: self._accept())
        try:
            while self._kill_at is None or not all(held.finished for held in self._held.values()):
                for key, events in self._selector.select(self._patience()):
                    ready: Ready = key.data
                    ready(events)
                self._tend()
        finally:
            self._close()
            signal.set_wakeup_fd(-1)
            ours.close()
            theirs.close()

    def _patience(self) -> float:
        """Seconds until something is due."""
        due = [at for held in self._held.values() if (at := held.finish_at()) is not None]
        due.append(self._renewed + self._lease if self._kill_at is None else self._kill_at)
        return max(0.0, min(due) - time.monotonic())

    def _tend(self) -> None:
        now = time.monotonic()
        for held in self._held.values():
            if (at := held.finish_at()) is not None and now >= at:
                self._finish(held)
        if self._kill_at is None:
            if now >= self._renewed + self._lease:
                self._end()
        elif now >= self._kill_at:
            self._kill_at = now + _GRACE_SECONDS
            for held in self._held.values():
                held.kill()
        for peer in list(self._peers):
            peer.fill()
            self._look_after(peer)

    def _end(self) -> None:
        """Asks every sidecar to end."""
        if self._kill_at is not None:
            return
        self._kill_at = time.monotonic() + _GRACE_SECONDS
        for held in self._held.values():
            held.terminate()
            held.close_lifeline()

    def _reap(self, wakeups: socket.socket) -> None:
        """Children have ended: sidecars, and orphans that have become ours."""
        wakeups.recv(4096)
        while (ended := _ended_child()) is not None:
            held = next((h for h in self._held.values() if h.pid == ended and h.returncode is None), None)
            if held is not None:
                held.end_family()
            _, status = os.waitpid(ended, 0)
            if held is not None:
                held.reaped(os.waitstatus_to_exitcode(status))

    def _finish(self, held: Held) -> None:
        for descriptor in held.pipes:
            self._selector.unregister(descriptor)
        held.finish()
        if self._kill_at is not None:
            held.remove_folders()
        for peer in self._peers:
            peer.tell(held)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        if not _same_user(connection):
            connection.close()
            return
        peer = Peer(connection, self._serve)
        self._peers.add(peer)
        self._selector.register(connection, selectors.EVENT_READ, lambda events: self._talk(peer, events))

    def _talk(self, peer: Peer, events: int) -> None:
        if events & selectors.EVENT_READ and not peer.receive():
            self._part(peer)
        else:
            self._look_after(peer)

    def _look_after(self, peer: Peer) -> None:
        if peer not in self._peers:
            return
        if not peer.send():
            self._part(peer)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.waiting else 0)
        if self._selector.get_key(peer.connection).events != wanted:
            key = self._selector.get_key(peer.connection)
            self._selector.modify(peer.connection, wanted, key.data)

    def _part(self, peer: Peer) -> None:
        self._peers.discard(peer)
        self._selector.unregister(peer.connection)
        peer.close()

    def _serve(self, peer: Peer, request: Request) -> None:
        self._renewed = time.monotonic()
        try:
            answer = getattr(self, f"_on_{request.op}")(peer, request)
        except _RefusedError as error:
            message, code = error.args
            peer.answer(request.number, {"error": code, "message": message})
        else:
            if answer is not None:
                peer.answer(request.number, {"ok": answer})

    def _on_hello(self, peer: Peer, request: Request) -> dict[str, Any]:
        if request.fields["protocol"] == PROTOCOL:
            self._lease = request.fields["lease"]
        return {"protocol": PROTOCOL, "pid": os.getpid()}

    def _on_spawn(self, peer: Peer, request: Request) -> dict[str, Any]:
        if self._kill_at is not None:
            raise _RefusedError(*_UNFINISHED)
        if request.fields["instance"] in self._held:
            raise _RefusedError("there is one of this name", "exists")
        try:
            held = Held(**request.fields)
        except OSError as error:
            raise _RefusedError(error.strerror or "the process could not be started", "not_started") from error
        self._held[held.instance] = held
        for descriptor in held.pipes:
            self._selector.register(descriptor, selectors.EVENT_READ, self._reader(held, descriptor))
        return {"pid": held.pid, "identity": held.identity}

    def _reader(self, held: Held, descriptor: int) -> Ready:
        def read(_: int) -> None:
            if descriptor in held.pipes and not held.read(descriptor):
                self._selector.unregister(descriptor)

        return read

    def _on_list(self, peer: Peer, request: Request) -> dict[str, Any]:
        return {"sidecars": [held.describe() for held in self._held.values()]}

    def _on_kill(self, peer: Peer, request: Request) -> dict[str, Any]:
        held = self._find(request)
        if request.fields["signal"] == "KILL":
            held.kill()
        else:
            held.terminate()
        return {}

    def _on_forget(self, peer: Peer, request: Request) -> dict[str, Any]:
        held = self._find(request)
        if not held.finished:
            raise _RefusedError("it has not ended", "running")
        del self._held[held.instance]
        return {}

    def _on_follow(self, peer: Peer, request: Request) -> None:
        peer.follow(request.number, self._find(request))

    def _on_watch(self, peer: Peer, request: Request) -> None:
        peer.watch(request.number, [held for held in self._held.values() if held.finished])

    def _on_renew(self, peer: Peer, request: Request) -> dict[str, Any]:
        return {}

    def _on_shutdown(self, peer: Peer, request: Request) -> dict[str, Any]:
        self._end()
        return {"sidecars": sum(held.returncode is None for held in self._held.values())}

    def _find(self, request: Request) -> Held:
        held = self._held.get(request.fields["instance"])
        if held is None:
            raise _RefusedError("there is no such sidecar", "not_found")
        return held

    def _close(self) -> None:
        """Ends what is left of anybody: orphans that carried no mark of whose they were have become our children."""
        while strays := processes.descendants(os.getpid()):
            processes.kill(strays)
            if not processes.wait_gone(strays, _GRACE_SECONDS):
                break
        self._selector.close()
        # Connections close with the process, when nothing of it is left: that is how brokers know.
        for peer in self._peers:
            peer.fill()
            peer.send()


def _ended_child() -> int | None:
    """A child that has ended and was not waited for yet."""
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return ended.si_pid if ended is not None else None


def _same_user(connection: socket.socket) -> bool:
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the folder is private
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return user in (0, os.getuid())
