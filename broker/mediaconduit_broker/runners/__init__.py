"""How a provider's process is started, watched and ended. One interface, several backends."""

from mediaconduit_broker.runners.base import Exit, Launch, Runner, Sidecar
from mediaconduit_broker.runners.logs import LogBuffer, LogRecord
from mediaconduit_broker.runners.process import ProcessRunner

__all__ = ["Exit", "Launch", "LogBuffer", "LogRecord", "ProcessRunner", "Runner", "Sidecar"]
