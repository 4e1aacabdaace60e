"""Keys of vendors and the like: where they come from, and how they are kept out of everything that is written.

Knows nothing of providers, sidecars or the wire. Values travel as `Secret`, whose text is ``***``; only what hands
them to a sidecar reveals them.
"""

from mediaconduit_broker.secrets.redaction import Redactor, hide_credentials
from mediaconduit_broker.secrets.secret import Secret
from mediaconduit_broker.secrets.sources import CommandSource, EnvironmentSource, FolderSource, SecretSource
from mediaconduit_broker.secrets.store import SECRETS_VARIABLE, Found, SecretStore, told

__all__ = [
    "SECRETS_VARIABLE",
    "CommandSource",
    "EnvironmentSource",
    "FolderSource",
    "Found",
    "Redactor",
    "Secret",
    "SecretSource",
    "SecretStore",
    "hide_credentials",
    "told",
]
