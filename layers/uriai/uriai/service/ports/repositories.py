"""The database as services see it: repositories inside one transaction, and what runs a unit of work in one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from uriai.domain.analysis import Observations
from uriai.domain.centre import Camera, Centre, Gateway
from uriai.domain.clip import ManifestStatus
from uriai.domain.evidence_chain import StoredLink
from uriai.domain.identity import AnalysisKey
from uriai.domain.incident import Incident
from uriai.domain.person import Person
from uriai.domain.ulid import Ulid
from uriai.domain.words import EvidenceRole, Kind, Status, Verdict
from uriai.service.ports.masked_copies import MaskedCopies
from uriai.service.ports.records import Coverage, Records
from uriai.service.ports.telling import Claims, Outbox, Outgoing, PoliceReports
from uriai.service.ports.thresholds import ThresholdHistory

Result = TypeVar("Result")


class AnalysisState(StrEnum):
    """Whether an analysis came to an end."""

    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ClipRow:
    """A clip as its row holds it. None is what is not known (yet)."""

    id: Ulid
    object_key: str
    gateway_id: str | None
    camera_id: int | None


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What reading a clip taught: bytes, manifest, time. ``sha256`` 32 bytes, instants aware."""

    sha256: bytes
    size: int
    manifest_status: ManifestStatus
    manifest_reason: str
    seq: int | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a clip has no analysis: a code of at most 40 ASCII characters and a sentence."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoredAnalysis:
    """State of one model set's analysis of one clip."""

    state: AnalysisState
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class AnalysedClip:
    """A clip with what its current analysis saw. ``sha256`` 32 bytes, ``started_at`` aware."""

    row: ClipRow
    analysis_id: Ulid
    started_at: datetime
    verified: bool
    sha256: bytes
    observations: Observations


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding placed in time; instants are aware.

    It belongs to an analysis, and ``start_ms`` and ``end_ms`` count from the clip's start; or to an edge event of the
    camera, and they count from the event's.
    """

    id: Ulid
    analysis_id: Ulid | None
    camera_id: int
    kind: Kind
    start_ms: int
    end_ms: int
    started_at: datetime
    ended_at: datetime
    confidence: float
    verdict: Verdict
    thresholds: Mapping[str, float]
    basis: Mapping[str, object]
    event_id: Ulid | None = None


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """An object that shows a finding; ``shown_at`` is the instant it shows, ``sha256`` 32 bytes."""

    id: Ulid
    finding_id: Ulid
    clip_id: Ulid
    role: EvidenceRole
    object_key: str
    sha256: bytes
    shown_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """An incident with what a person needs to tell it apart."""

    incident: Incident
    centre: Centre
    camera_number: int


class Gateways(ABC):
    """Gateways with their centre, keys and cameras."""

    @abstractmethod
    def find(self, gateway_id: str) -> Gateway | None:
        """The gateway, None if nobody added it."""

    @abstractmethod
    def camera(self, gateway: Gateway, number: int, now: datetime) -> Camera:
        """The gateway's camera of that number; one that nobody entered is made with ``registered`` False."""

    @abstractmethod
    def lock_camera(self, camera_id: int) -> None:
        """Wait until no other transaction works on this camera's incidents; held to the end of this one."""


class Clips(ABC):
    """Rows of clips."""

    @abstractmethod
    def claim(self, row: ClipRow, arrived_at: datetime) -> ClipRow:
        """Make the clip's row if there is none of its id, fill in what it did not know, and give what stands there.

        The row that comes back has another ``object_key`` if another object came first with this id.
        """

    @abstractmethod
    def lock(self, clip_id: Ulid) -> bool:
        """Wait until no other transaction writes this clip's analysis; held to the end of this one.

        False if the clip's deletion is decided: nothing new may rest on it.
        """

    @abstractmethod
    def learn(self, clip_id: Ulid, facts: ClipFacts) -> None:
        """Keep what reading the clip taught."""


class Analyses(ABC):
    """Rows of analyses and their findings."""

    @abstractmethod
    def find(self, key: AnalysisKey) -> StoredAnalysis | None:
        """This model set's analysis of the clip, None if there is none."""

    @abstractmethod
    def save_done(self, key: AnalysisKey, observations: Observations, verdict: Verdict, now: datetime) -> None:
        """Keep a finished analysis, in place of a failed one if there was, and make it the clip's current one."""

    @abstractmethod
    def save_failed(self, key: AnalysisKey, models: Mapping[str, str], failure: Failure, now: datetime) -> None:
        """Keep why there is no analysis. It is current only while no finished one is; a finished one is left alone."""

    @abstractmethod
    def add_finding(self, row: FindingRow) -> None:
        """Keep a finding. One that is there already grows: it gets no shorter and no less certain."""

    @abstractmethod
    def around(
        self, camera_id: int, start: datetime, end: datetime, *, besides: Ulid | None = None
    ) -> Sequence[AnalysedClip]:
        """The camera's clips that start in the half-open span and have a finished current analysis, by start; without
        the clip ``besides`` and without those whose deletion is decided.
        """

    @abstractmethod
    def ids_around(
        self, camera_id: int, start: datetime, end: datetime, *, besides: Ulid | None = None
    ) -> Sequence[Ulid]:
        """The ids of the analyses of the clips that `around` gives."""

    @abstractmethod
    def findings(self, analyses: Sequence[Ulid]) -> Mapping[Ulid, Sequence[FindingRow]]:
        """What the rules found in what models saw in clips, by analysis; not what is wrong with a clip itself."""

    @abstractmethod
    def raise_verdict(self, analysis_id: Ulid, verdict: Verdict) -> None:
        """Keep that an analysis has a finding of this verdict, if it had none as severe."""

    @abstractmethod
    def has_finding(self, clip_id: Ulid, kind: Kind) -> bool:
        """Whether any model set's analysis of the clip has a finding of the kind."""


class Incidents(ABC):
    """Rows of incidents."""

    @abstractmethod
    def near(self, camera_id: int, kind: Kind, started_at: datetime, ended_at: datetime) -> Sequence[Incident]:
        """Incidents of the kind on the camera that touch the span, not merged into others; locked to the end."""

    @abstractmethod
    def holding(self, finding_id: Ulid) -> Incident | None:
        """The incident that the finding is part of, None if it is part of none yet; locked to the end."""

    @abstractmethod
    def troubled(self, incident_id: Ulid) -> bool:
        """Whether an edge event of the incident has not ended, or it has a finding about a clip, which never does."""

    @abstractmethod
    def next_number(self, centre_id: int) -> int:
        """Draw the centre's next number; locks the centre's counter to the end of the transaction."""

    @abstractmethod
    def add(self, incident: Incident, now: datetime) -> None:
        """Keep a new incident."""

    @abstractmethod
    def update(self, incident: Incident, now: datetime) -> None:
        """Keep an incident's new span, verdict, confidence, status and link."""

    @abstractmethod
    def merge(self, later: Ulid, into: Ulid, now: datetime) -> None:
        """Move the later incident's findings to the earlier one and mark it merged.

        What was withheld from the director stays withheld: the earlier one is withheld if either was.
        """

    @abstractmethod
    def withhold(self, incident_id: Ulid, withheld: bool, now: datetime) -> Sequence[int]:
        """Hide the incident from its centre's directors, with all that it continues or that continues it; or show it
        and no other. The numbers of those for which that is new.
        """

    @abstractmethod
    def add_finding(self, incident_id: Ulid, finding_id: Ulid) -> None:
        """Make the finding part of the incident."""

    @abstractmethod
    def numbered(self, number: int, centre: str | None, person: Person | None) -> Sequence[ReviewItem]:
        """Incidents of that number, of all centres or the one named, not merged into others, in the person's scope.

        Whoever changes one takes its camera's lock first and reads it again.
        """

    @abstractmethod
    def find(self, incident_id: Ulid) -> ReviewItem | None:
        """The incident; None if there is none or it was merged into another."""

    @abstractmethod
    def waiting(self, statuses: Sequence[Status], limit: int) -> Sequence[ReviewItem]:
        """Incidents in these statuses, not merged, the most confident first."""

    @abstractmethod
    def between(self, centre_id: int, start: datetime, end: datetime) -> Sequence[Incident]:
        """A centre's incidents that start in the half-open span, not merged, by start."""


class Evidence(ABC):
    """Rows of evidence."""

    @abstractmethod
    def shows(self, finding_id: Ulid) -> bool:
        """Whether there is evidence of the finding."""

    @abstractmethod
    def add(self, row: EvidenceRow, now: datetime) -> None:
        """Keep an evidence row; one that is there already is left alone."""

    @abstractmethod
    def of_incident(self, incident_id: Ulid) -> Sequence[StoredLink]:
        """The rows of an incident's evidence whose objects were not deleted, by their place in the chain."""


class Scopes(ABC):
    """Who may see what."""

    @abstractmethod
    def includes(self, person: Person, centre_id: int) -> bool:
        """Whether the centre is in the person's scope."""


class Audit(ABC):
    """Who did what, when."""

    @abstractmethod
    def add(
        self,
        now: datetime,
        actor: str,
        action: str,
        subject: str,
        detail: Mapping[str, object],
        person_id: int | None = None,
    ) -> None:
        """Keep one line; ``action`` like ``incident.reported``, ``subject`` like ``incident:01J…``; ``person_id`` where
        the actor is somebody who is enrolled.
        """


@dataclass(frozen=True, slots=True)
class Repositories:
    """Everything there is inside one transaction."""

    gateways: Gateways
    clips: Clips
    analyses: Analyses
    incidents: Incidents
    evidence: Evidence
    scopes: Scopes
    thresholds: ThresholdHistory
    audit: Audit
    outbox: Outbox
    outgoing: Outgoing
    police_reports: PoliceReports
    records: Records
    coverage: Coverage
    claims: Claims
    copies: MaskedCopies


class Transactions(ABC):
    """Runs units of work."""

    @abstractmethod
    def run(self, work: Callable[[Repositories], Result]) -> Result:
        """Do ``work`` in one transaction; all of it again if it was a deadlock's victim, so it has to be repeatable."""
