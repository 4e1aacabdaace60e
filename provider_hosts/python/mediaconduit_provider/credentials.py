"""Variables that Configure brings: set in this process alone, where code expects them."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Final

from mediaconduit.errors import FieldViolation, InvalidRequestError, MediaConduitError, PreconditionError, Reason

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS: Final = "MEDIACONDUIT_"
_SHORTEST: Final = 4
"""Characters a value must have to be taken out of an error."""


class Credentials:
    """The keys a provider was given. Their values appear in no message and no repr.

    Args:
        names: Those it needs; a call fails while one is missing.
        environ: Where they are set. The environment a process was started with, which its neighbours may read
            (``/proc/<pid>/environ``), does not change by that.
    """

    def __init__(self, names: Sequence[str] = (), environ: MutableMapping[str, str] = os.environ) -> None:
        self._names = tuple(names)
        self._environ = environ
        self._before: dict[str, str | None] = {}
        """What the variables set here were before."""
        self._given: dict[str, str] = {}

    def check(self, secrets: Mapping[str, str]) -> None:
        """Raises `InvalidRequestError` for names that no variable can have, and values."""
        fields = [
            FieldViolation(f"secrets.{name}", why) for name, value in secrets.items() if (why := _odd(name, value))
        ]
        if fields:
            raise InvalidRequestError("the secrets are not valid", fields=fields)

    def put(self, secrets: Mapping[str, str]) -> Mapping[str, str]:
        """Sets these, unsets those of an earlier time that are left out, and gives the earlier ones.

        Raises:
            InvalidRequestError: As `check`; nothing is changed then.
        """
        self.check(secrets)
        earlier, self._given = self._given, dict(secrets)
        for name in earlier.keys() - secrets.keys():
            _set(self._environ, name, self._before.pop(name))
        for name, value in secrets.items():
            self._before.setdefault(name, self._environ.get(name))
            self._environ[name] = value
        return earlier

    def clean(self, error: MediaConduitError) -> MediaConduitError:
        """The error without the values given here: vendors quote the key they refuse, and authors quote vendors."""
        values = sorted((value for value in self._given.values() if len(value) >= _SHORTEST), key=len, reverse=True)
        if not values:
            return error

        def text(text: str) -> str:
            return functools.reduce(lambda text, value: text.replace(value, "***"), values, text)

        return type(error)(
            text(error.message),
            reason=error.reason,
            hint=text(error.hint),
            fields=[FieldViolation(text(field.field), text(field.description)) for field in error.fields],
            metadata={key: text(value) for key, value in error.metadata.items()},
            retry_after=error.retry_after,
            details=error.details,
        )

    def require(self) -> None:
        """Raises `PreconditionError` when one that is needed is missing."""
        missing = [name for name in self._names if not self._environ.get(name)]
        if missing:
            raise PreconditionError(
                f"the provider needs {' and '.join(missing)}, which it was not given",
                reason=Reason.CREDENTIALS_MISSING,
                metadata={"variable": ",".join(missing)},
                hint=f"put {missing[0]} where the broker looks for secrets, and refresh the provider",
            )


def names_of(text: str) -> tuple[str, ...]:
    """The names in a list with commas. Raises `ValueError` for one that no variable can have."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if _odd(name, ""):
            raise ValueError(f"{name!r} cannot be the name of a secret")
    return names


def _odd(name: str, value: str) -> str:
    if not _NAME.fullmatch(name) or name.startswith(_OURS):
        return f"is not the name of a variable; letters, digits and _ are, but for those that begin with {_OURS}"
    return "holds a zero byte" if "\0" in value else ""


def _set(environ: MutableMapping[str, str], name: str, value: str | None) -> None:
    if value is None:
        environ.pop(name, None)
    else:
        environ[name] = value
