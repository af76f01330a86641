"""Records, coverage and its holes as services see them, inside one transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from uriai.domain.chain import RecordStatus
from uriai.domain.coverage import Span
from uriai.domain.record import Link
from uriai.domain.ulid import Ulid


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record as it is kept. None is what could not be read; instants are aware, hashes 32 bytes.

    ``event``: what a record of tampering has in common with its event's other ones.
    """

    id: Ulid
    gateway_id: str | None
    object_key: str
    received_at: datetime
    status: RecordStatus
    reason: str
    sha256: bytes | None = None
    seq: int | None = None
    type: str | None = None
    camera: int | None = None
    ulid: Ulid | None = None
    prev: bytes | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    event: Ulid | None = None


@dataclass(frozen=True, slots=True)
class GatewayWatch:
    """What is known of a gateway's records as a whole; instants aware.

    ``heard_until``: up to when coverage records that count tell, None before the first; ``last_seq``: the highest
    number there is; ``chain_seq``: every number up to it is there or on file as missing; ``gap_since``: since when
    there are numbers beyond a missing one that is not on file; ``silent_since``: nothing is told of the time since;
    ``clock_offset_s``: how far S3's clock is ahead of the gateway's.
    """

    gateway_id: str
    heard_until: datetime | None = None
    last_seq: int = 0
    chain_seq: int = 0
    gap_since: datetime | None = None
    silent_since: datetime | None = None
    clock_offset_s: float | None = None
    clock_wrong_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SequenceGap:
    """Numbers, both ends included, that did not come."""

    gateway_id: str
    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class CameraWatch:
    """What is known of a camera's coverage as a whole; instants aware.

    ``expected_from``: since when it should be covered; ``covered_until``: end of the newest span, ``expected_from``
    where there is none; ``settled_until``: holes that began before are on file; ``dark_since``: start of the hole that
    goes on.
    """

    camera_id: int
    expected_from: datetime
    covered_until: datetime
    settled_until: datetime
    dark_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unheard:
    """A camera that is there and of which no record has said a word ``since`` it and its gateway's key were entered."""

    camera_id: int
    gateway_id: str
    number: int
    since: datetime


class Cause(StrEnum):
    """Why there is a hole, as far as records tell."""

    NO_RECORDS = "no_records"
    CAMERA_SILENT = "camera_silent"
    AGENT_DOWN = "agent_down"


@dataclass(frozen=True, slots=True)
class Hole:
    """A hole in a camera's coverage; ``ended_at`` is None while it goes on, ``filled`` where it was none after all."""

    id: Ulid
    camera_id: int
    began_at: datetime
    ended_at: datetime | None
    cause: Cause
    split_from: Ulid | None = None
    filled: bool = False


class Records(ABC):
    """Rows of records and of the gateways they come from."""

    @abstractmethod
    def add(self, row: RecordRow, now: datetime) -> bool:
        """Keep a record; whether it is new, or can be believed now and could not before.

        One that is there and could be believed keeps its status, which its neighbours may have changed.
        """

    @abstractmethod
    def lock(self, gateway_id: str) -> GatewayWatch:
        """The gateway's row, made if there is none, locked to the end of the transaction."""

    @abstractmethod
    def save(self, watch: GatewayWatch) -> None:
        """Keep what is known now."""

    @abstractmethod
    def links(self, gateway_id: str, first_seq: int, last_seq: int) -> Sequence[Link]:
        """The records of these numbers, both ends included, whose signature holds."""

    @abstractmethod
    def mark(self, record_id: Ulid, status: RecordStatus, now: datetime) -> None:
        """Keep what a record's neighbours make of it, and when that was first something to tell of."""

    @abstractmethod
    def numbers_after(self, gateway_id: str, seq: int, limit: int) -> Sequence[tuple[int, datetime]]:
        """Numbers beyond ``seq`` of which there is a record whose signature holds, rising, each with its arrival."""

    @abstractmethod
    def add_gap(self, gap: SequenceGap, now: datetime) -> None:
        """Put missing numbers on file."""

    @abstractmethod
    def fill_gap(self, gateway_id: str, seq: int, now: datetime) -> None:
        """If all numbers of the gap that ``seq`` is in are there now, close it."""

    @abstractmethod
    def silent(self, before: datetime, limit: int) -> Sequence[str]:
        """Gateways in force of whose time since ``before`` nothing was told and that are not on file as silent."""

    @abstractmethod
    def gapped(self, before: datetime, limit: int) -> Sequence[str]:
        """Gateways with missing numbers since ``before`` that are not on file."""


class Coverage(ABC):
    """Rows of what cameras recorded and of the holes between."""

    @abstractmethod
    def watches(self, gateway_id: str) -> Mapping[int, CameraWatch]:
        """What is known of the gateway's cameras, by number; of one that no record named there is nothing."""

    @abstractmethod
    def save(self, watch: CameraWatch) -> None:
        """Keep what is known now. Where nothing was known of the camera before, its row is locked."""

    @abstractmethod
    def add(self, camera_id: int, spans: Sequence[Span]) -> bool:
        """Add to what the camera recorded; whether that is more than before. The gateway's row is locked."""

    @abstractmethod
    def spans(self, camera_id: int, within: Span) -> Sequence[Span]:
        """What the camera recorded of ``within``, in order, as it is kept: spans may reach beyond it."""

    @abstractmethod
    def start_before(self, camera_id: int, instant: datetime) -> datetime | None:
        """The last start of a span before ``instant``."""

    @abstractmethod
    def start_from(self, camera_id: int, instant: datetime) -> datetime | None:
        """The first start of a span at or after ``instant``."""

    @abstractmethod
    def holes(self, camera_id: int, within: Span) -> Sequence[Hole]:
        """The holes on file that overlap ``within`` and are not filled, in order."""

    @abstractmethod
    def put(self, hole: Hole, now: datetime) -> None:
        """Keep a hole, new or changed."""

    @abstractmethod
    def explain(self, camera_id: int, within: Span, cause: Cause) -> None:
        """Tell why, for holes that overlap ``within`` and of which nobody knew why."""

    @abstractmethod
    def unheard(self, before: datetime, limit: int) -> Sequence[Unheard]:
        """Cameras that people entered, or that verified clips came of, which no record ever named.

        Of gateways in force that have had a key, and the camera its row, since ``before``.
        """

    @abstractmethod
    def dark(self, before: datetime, limit: int) -> Sequence[tuple[str, int]]:
        """Gateway and number of cameras without coverage since ``before``, of which that is not on file."""
