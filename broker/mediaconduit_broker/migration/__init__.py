"""Takes over providers of the original MediaConduit, which is in TypeScript: reads a repository, says what of it runs
as it is and what it needs, and writes the manifest it has here. Runs none of its code.

``facts`` reads files, ``scan`` finds what code asks for, ``findings`` judges it, ``modern`` writes the manifest.
"""

from mediaconduit_broker.migration.facts import Repository, read_repository
from mediaconduit_broker.migration.findings import Finding, Kind, findings
from mediaconduit_broker.migration.migrate import NEW, OLD, Migration, copy, place, plan
from mediaconduit_broker.migration.modern import render

__all__ = [
    "NEW",
    "OLD",
    "Finding",
    "Kind",
    "Migration",
    "Repository",
    "copy",
    "findings",
    "place",
    "plan",
    "read_repository",
    "render",
]
