"""Entry point: the only place that reads the environment."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from mediaconduit_broker.cli.app import run
from mediaconduit_broker.cli.invocation import DEFAULT_BROKER, Invocation


def main() -> NoReturn:
    """Runs the command line and ends the process with its exit code."""
    # gRPC's core writes notices of its own to stderr; every failure reaches us as a status anyway.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    invocation = Invocation(
        environ=dict(os.environ),
        broker=os.environ.get("MEDIACONDUIT_BROKER") or DEFAULT_BROKER,
        api_key=os.environ.get("MEDIACONDUIT_API_KEY") or None,
        debug=bool(os.environ.get("MEDIACONDUIT_DEBUG")),
    )
    sys.exit(run(sys.argv[1:], invocation))


if __name__ == "__main__":
    main()
