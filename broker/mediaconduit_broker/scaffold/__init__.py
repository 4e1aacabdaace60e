"""What ``mediaconduit new`` makes: complete repositories of providers, one per language.

The files of a language stand in a folder of its name, each with the ending ``.tmpl``; ``$name`` in them is replaced,
and ``package`` in their paths by the package's name.
"""

from mediaconduit_broker.scaffold.create import LANGUAGES, Made, create

__all__ = ["LANGUAGES", "Made", "create"]
