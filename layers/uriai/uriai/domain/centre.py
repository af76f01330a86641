"""A daycare centre, its gateways with their keys, its cameras."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Centre:
    """``time_zone`` is an IANA name; ``auto_report`` says whether verdict ``report`` is reported without a person."""

    id: int
    name: str
    time_zone: str
    auto_report: bool


def no_such_centre(name: str) -> str:
    """What is said of a centre that there is not, and of one out of the scope of whoever names it."""
    return f"there is no centre {name}: see `uriai centres list`, or add it with `uriai centres add`"


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """An Ed25519 public key (32 bytes) of a gateway and when it was good."""

    public_key: bytes
    valid_from: datetime
    revoked_at: datetime | None

    def good_at(self, instant: datetime) -> bool:
        """Whether what arrived at the instant, by the cloud's clock and not the gateway's, may be signed with it."""
        return self.revoked_at is None or instant < self.revoked_at


@dataclass(frozen=True, slots=True)
class Gateway:
    """The box in the centre that runs the agent. ``revoked_at``: nothing that arrived from then on is trusted."""

    id: str
    centre: Centre
    revoked_at: datetime | None
    keys: tuple[GatewayKey, ...]

    def keys_good_at(self, instant: datetime) -> tuple[bytes, ...]:
        """The public keys that may have signed what arrived at the instant."""
        if self.revoked_at is not None and instant >= self.revoked_at:
            return ()
        return tuple(key.public_key for key in self.keys if key.good_at(instant))


@dataclass(frozen=True, slots=True)
class Camera:
    """CCTV n호기. ``registered`` is False for a number that a gateway sent and nobody entered."""

    id: int
    centre_id: int
    gateway_id: str
    number: int
    registered: bool
