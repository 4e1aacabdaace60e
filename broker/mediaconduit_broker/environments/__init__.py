"""Isolated environments: content-keyed, built aside, checked, renamed into place; each belongs to one provider.

Nothing of a repository or of what it requires is run while one is made, unless the operator allows its build commands.
"""

from mediaconduit_broker.environments.builder import Environment, EnvironmentBuilder
from mediaconduit_broker.environments.collection import StoredEnvironment
from mediaconduit_broker.environments.journal import BuildJournal
from mediaconduit_broker.environments.plan import BuildStep
from mediaconduit_broker.environments.record import EnvironmentRecord
from mediaconduit_broker.environments.request import EnvironmentRequest, Permissions

__all__ = [
    "BuildJournal",
    "BuildStep",
    "Environment",
    "EnvironmentBuilder",
    "EnvironmentRecord",
    "EnvironmentRequest",
    "Permissions",
    "StoredEnvironment",
]
