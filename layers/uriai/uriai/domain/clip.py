"""Clips and their manifests, as docs/formats/evidence.md defines them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from uriai.domain.ulid import Ulid

_KEY = re.compile(
    r"clips/(?P<gateway>[a-z0-9][a-z0-9-]{0,62})/(?P<camera>[1-9][0-9]{0,3})/"
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/(?P<ulid>[0-9A-Z]{26})\.mp4"
)


@dataclass(frozen=True, slots=True)
class ClipKey:
    """The object key of a clip: gateway, camera number, UTC day of its start, ULID."""

    gateway: str
    camera: int
    day: date
    ulid: Ulid

    @classmethod
    def parse(cls, key: str) -> ClipKey:
        """Read ``clips/{gateway}/{camera}/{yyyy-mm-dd}/{ulid}.mp4``.

        Raises
        ------
        ValueError
            If ``key`` has another form; the message names the form.
        """
        match = _KEY.fullmatch(key)
        if match is None:
            raise ValueError(f"{key!r} is not of the form clips/GATEWAY/CAMERA/YYYY-MM-DD/ULID.mp4")
        return cls(match["gateway"], int(match["camera"]), date.fromisoformat(match["day"]), Ulid.parse(match["ulid"]))

    @property
    def stem(self) -> str:
        """The key without its ending."""
        return f"clips/{self.gateway}/{self.camera}/{self.day.isoformat()}/{self.ulid}"

    @property
    def clip(self) -> str:
        """Key of the clip itself."""
        return self.stem + ".mp4"

    @property
    def manifest(self) -> str:
        """Key of its manifest."""
        return self.stem + ".json"

    @property
    def signature(self) -> str:
        """Key of the manifest's signature."""
        return self.stem + ".sig"

    @property
    def tombstone(self) -> str:
        """Key of what tells why the clip is gone."""
        return self.stem + ".tombstone"


class ManifestStatus(StrEnum):
    """What verification made of a clip's manifest. All but VERIFIED are flagged and never reported automatically."""

    VERIFIED = "verified"
    MISSING = "missing"
    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"
    MISMATCH = "mismatch"
