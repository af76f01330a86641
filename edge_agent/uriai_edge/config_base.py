"""What the sections of the configuration are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

SECONDS = "number of seconds"
"""The unit of a field, by which messages call it."""


class Section(BaseModel):
    """Base of all sections: unknown keys are refused, values are never converted, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def _expand(path: Path) -> Path:
    return path.expanduser()


# YAML has no paths: text is right here although the models are strict.
FilePath = Annotated[Path, Field(strict=False), AfterValidator(_expand)]


# YAML has no tuples: a list of two numbers is right here although the models are strict.
Corner = Annotated[tuple[float, float], Field(strict=False)]


def check_host(url: str) -> None:
    """Refuse an address without a host or with an impossible port; what is wrong may be a password, so not told."""
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ValueError(
            "the address has no host, or no port from 1 to 65535: SCHEME://HOST:PORT/PATH is expected; "
            "/, @ and : of a password are written %2F, %40 and %3A"
        )


def mistake(message: str, *at: int | str) -> PydanticCustomError:
    """A mistake that only the whole file shows, at the field that has to be changed."""
    return PydanticCustomError("value_error", message, {"at": at})  # type: ignore[arg-type, unused-ignore]
