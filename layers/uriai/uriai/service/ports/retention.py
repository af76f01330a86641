"""What deleting expired clips needs of the outside. Every method of `Expiring` is a transaction of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from uriai.domain.record import PictureKey
from uriai.domain.retention import Expiry, Involvement
from uriai.domain.ulid import Ulid


class DeletionRefusedError(Exception):
    """The store keeps an object or one of its versions: it is held, or deleting it is not allowed."""


@dataclass(frozen=True, slots=True)
class CameraPeriod:
    """A camera and for how many days its centre keeps clips."""

    camera_id: int
    days: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A clip that has been there for its whole period. ``analysed``: done or failed, None where it has no outcome."""

    clip_id: Ulid
    object_key: str
    camera_id: int | None
    received_at: datetime
    analysed: bool | None
    involved: tuple[Involvement, ...]


@dataclass(frozen=True, slots=True)
class Condemned:
    """A clip whose deletion is decided and audited, and not carried out yet. ``objects``: the keys that have to go."""

    clip_id: Ulid
    object_key: str
    decided_at: datetime
    reason: Expiry
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PictureCandidate:
    """The picture of a record of tampering that has been there for its whole period. ``placed``: of a known camera."""

    record_id: Ulid
    key: PictureKey
    received_at: datetime
    placed: bool
    involved: tuple[Involvement, ...]


@dataclass(frozen=True, slots=True)
class CondemnedPicture:
    """A picture whose deletion is decided and audited, and not carried out yet. ``manifest``: SHA-256, 32 bytes."""

    record_id: Ulid
    key: PictureKey
    manifest: bytes
    decided_at: datetime
    reason: Expiry


class ExpiringPictures(ABC):
    """Records of tampering whose pictures' period has passed. Every method is a transaction of its own."""

    @abstractmethod
    def candidates(self, now: datetime, after: PictureCandidate | None, limit: int) -> Sequence[PictureCandidate]:
        """Those that arrived longer ago than their centre's period, by arrival, behind ``after``."""

    @abstractmethod
    def condemn(self, record_id: Ulid, now: datetime) -> CondemnedPicture | None:
        """Judge it again, locked, and decide on its deletion with its audit row; None if it stays after all."""

    @abstractmethod
    def condemned(self, after: CondemnedPicture | None, limit: int) -> Sequence[CondemnedPicture]:
        """Those whose deletion was decided and not carried out, by the instant of that, behind ``after``."""

    @abstractmethod
    def note_refusal(self, picture: CondemnedPicture, reason: str, now: datetime) -> None:
        """Keep why the deletion failed this time."""

    @abstractmethod
    def finish(self, picture: CondemnedPicture, now: datetime) -> None:
        """The picture is gone: say so in its record's row, audited; once."""


class Expiring(ABC):
    """Rows of clips whose period has passed."""

    @property
    @abstractmethod
    def pictures(self) -> ExpiringPictures:
        """The same of pictures beside records of tampering."""

    @abstractmethod
    def cameras(self, after: int, limit: int) -> Sequence[CameraPeriod]:
        """Cameras by id, those greater than ``after``."""

    @abstractmethod
    def candidates(
        self, camera_id: int | None, before: datetime, after: Candidate | None, limit: int
    ) -> Sequence[Candidate]:
        """Clips of a camera (None: of none) that arrived before the instant, by arrival, behind ``after``."""

    @abstractmethod
    def condemn(self, clip_id: Ulid, now: datetime) -> Condemned | None:
        """Judge the clip again, locked, and decide on its deletion with its audit row; None if it stays after all."""

    @abstractmethod
    def condemned(self, after: Condemned | None, limit: int) -> Sequence[Condemned]:
        """Clips whose deletion was decided and not carried out, by the instant of that, behind ``after``."""

    @abstractmethod
    def note_refusal(self, clip_id: Ulid, reason: str, now: datetime) -> None:
        """Keep why the deletion failed this time."""

    @abstractmethod
    def finish(self, clip: Condemned, now: datetime) -> None:
        """The objects are gone: forget what rows say of people in the clip, mark what is gone, audit it; once."""

    @abstractmethod
    def forget_links(self, before: datetime, limit: int) -> int:
        """Delete links that expired before the instant; how many."""

    @abstractmethod
    def begin(self, now: datetime, *, again: bool) -> int | None:
        """The camera after which to go on, 0 for the first; None while another run is on.

        None as well if this UTC day's run is finished, unless it shall be done ``again``.
        """

    @abstractmethod
    def reached(self, camera_id: int) -> None:
        """Remember that the run has finished with the camera."""

    @abstractmethod
    def end(self, now: datetime, *, finished: bool) -> None:
        """The run is over; ``finished``: it has seen every camera."""


class Deletion(ABC):
    """The bucket, as far as deleting goes."""

    @abstractmethod
    def read_small(self, key: str, *, limit: int) -> bytes | None:
        """The bytes of a small object, None if there is none; of a larger one the first ``limit`` + 1."""

    @abstractmethod
    def put_tombstone(self, key: str, data: bytes) -> None:
        """Write a tombstone; the same bytes may be written again."""

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Whether there is any version of the object."""

    @abstractmethod
    def delete_all_versions(self, keys: Sequence[str]) -> None:
        """Delete every version of the objects, markers of deletion too; what is gone already is no failure.

        Raises
        ------
        DeletionRefusedError
            If one of them is still there; the others may be gone.
        """

    @abstractmethod
    def delete_below(self, folder: str) -> None:
        """The same for every object whose key begins with ``folder``, which ends in ``/``.

        Raises
        ------
        DeletionRefusedError
            If one of them is still there.
        """
