"""What ``mediaconduit new`` makes: complete repositories of providers, one per language.

The files of a language stand in a folder of its name, each with the ending ``.tmpl``. ``package`` in their paths is
replaced by the package's name, and in their text, where ``$$`` stands for a dollar:

============  ==========================================
provider_id   "my-provider": the manifest's id
title         "My Provider"
package       "my_provider_provider"
class_name    "MyProvider"
snake         "my_provider", where dashes are not allowed
============  ==========================================

A folder becomes a language of `LANGUAGES` by its manifest's template.
"""

from mediaconduit_broker.scaffold.create import LANGUAGES, Made, create

__all__ = ["LANGUAGES", "Made", "create"]
