"""When a provider is installed, started, stopped, tried again, given up."""

from mediaconduit_broker.supervision.credentials import lasting_settings
from mediaconduit_broker.supervision.instance import Instance
from mediaconduit_broker.supervision.lifecycle import State
from mediaconduit_broker.supervision.looks import Looks
from mediaconduit_broker.supervision.monitor import Monitor, Pace
from mediaconduit_broker.supervision.spec import ProviderSpec
from mediaconduit_broker.supervision.supervisor import Supervisor

__all__ = ["Instance", "Looks", "Monitor", "Pace", "ProviderSpec", "State", "Supervisor", "lasting_settings"]
