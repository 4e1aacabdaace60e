"""What a sidecar could read of others, in words for operators."""

from __future__ import annotations

from typing import Final

_OWN_USER: Final = "run the broker as root for a user of its own"
_SANDBOX: Final = 'set sandbox = "bubblewrap" for it'


def exposures(*, own_user: bool, sandboxed: bool, root: bool) -> tuple[str, ...]:
    """What is in reach of a sidecar that runs like this; empty when nothing of others is.

    Args:
        own_user: It has a user of its own.
        sandboxed: It runs in bubblewrap.
        root: The broker is root.
    """
    if own_user or sandboxed:
        return ()
    who = "as root, like the broker" if root else "as the broker's user"
    memory = "memory and variables of the broker and of other sidecars, " if root else ""
    hint = _SANDBOX if root else f"{_SANDBOX}, or {_OWN_USER}"
    return (
        f"not isolated: it runs {who} and could read {memory}settings and secrets in files of this user, "
        f"other providers' sockets, homes and temporary files; {hint}",
    )
