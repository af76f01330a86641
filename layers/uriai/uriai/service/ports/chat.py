"""What the chatbot's use cases need of the outside: people, what they may see, and one-time links."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from uriai.domain.coverage import Span
from uriai.domain.person import Language, Person, Platform
from uriai.domain.ulid import Ulid
from uriai.domain.utterance.calendar import Range
from uriai.domain.words import Kind, Role, Status


@dataclass(frozen=True, slots=True)
class CentreView:
    """A centre that the person may see."""

    id: int
    name: str
    region: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident that the person may see. Instants are aware; ``confidence`` is 0..1."""

    id: Ulid
    centre: CentreView
    camera: int
    number: int
    kind: Kind
    status: Status
    started_at: datetime
    ended_at: datetime
    confidence: float
    unverified: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """How many incidents share a kind, a status and a camera's number."""

    kind: Kind
    status: Status
    camera: int
    count: int


@dataclass(frozen=True, slots=True)
class ClipTally:
    """How many clips of a range were analysed, could not be, and have not been yet."""

    analysed: int
    failed: int
    waiting: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.analysed + self.failed + self.waiting


@dataclass(frozen=True, slots=True)
class CameraCoverage:
    """What a centre's camera of a number recorded, in order; of a number that two gateways had, both."""

    centre: CentreView
    camera: int
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A masked key frame: which evidence, and the instant that it shows."""

    evidence_id: Ulid
    incident_id: Ulid
    shown_at: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """How many incidents began in a quarter of an hour: ``confirmed`` by an expert, dismissed (False), or neither."""

    at: datetime
    kind: Kind
    camera: int
    confirmed: bool | None
    count: int


@dataclass(frozen=True, slots=True)
class Filter:
    """What a question is about. Empty cameras or kinds: all of them; empty centres: all in the person's scope."""

    range: Range
    centres: tuple[int, ...] = ()
    cameras: tuple[int, ...] = ()
    kinds: tuple[Kind, ...] = ()


class Questions(ABC):
    """What a person may see. Every method takes the person, and the scope is part of its query."""

    @abstractmethod
    def centres(self, person: Person, limit: int) -> Sequence[CentreView]:
        """The centres in scope by name, at most ``limit``."""

    @abstractmethod
    def centres_named(self, person: Person, name: str, limit: int) -> Sequence[CentreView]:
        """The centres in scope that may be called ``name``, the likeliest first, at most ``limit``.

        None that is called so but for spaces, signs and the word for a daycare centre is left out before others.
        """

    @abstractmethod
    def incidents(self, person: Person, about: Filter, limit: int) -> Sequence[IncidentView]:
        """The incidents that overlap the range, by start, at most ``limit``."""

    @abstractmethod
    def strongest(self, person: Person, about: Filter) -> IncidentView | None:
        """The incident of the highest confidence."""

    @abstractmethod
    def tally(self, person: Person, about: Filter) -> Sequence[Tally]:
        """All incidents that overlap the range, counted."""

    @abstractmethod
    def clips(self, person: Person, about: Filter) -> ClipTally:
        """The clips that begin in the range, counted; kinds do not matter."""

    @abstractmethod
    def coverage(self, person: Person, about: Filter) -> Sequence[CameraCoverage] | None:
        """What every camera recorded of the range, by centre and number; spans may reach beyond it.

        Cameras of a gateway that was revoked before the range are not among them. None where that is more than can be
        looked through for one answer. Kinds do not matter.
        """

    @abstractmethod
    def moments(self, person: Person, about: Filter) -> Sequence[Moment] | None:
        """When the incidents of the range began, in quarters of an hour; None where that is more than can be told.

        What was reported without a person's decision is neither confirmed nor dismissed.
        """

    @abstractmethod
    def numbered(self, person: Person, number: int, centres: Sequence[int]) -> Sequence[IncidentView]:
        """The incidents of that number: one for each centre that has it.

        Of one that was merged into another, the other, which has another ``number``.
        """

    @abstractmethod
    def begun(self, person: Person, centre_id: int, day: tuple[datetime, datetime]) -> Sequence[IncidentView]:
        """The centre's incidents that start in the half-open span, by start: those that the person may see."""

    @abstractmethod
    def pictures(self, person: Person, incidents: Sequence[Ulid]) -> Sequence[Picture]:
        """The masked key frame of each incident's strongest finding, where there is one."""


class Links(ABC):
    """One-time links to masked pictures. Only the SHA-256 of a token is kept."""

    @abstractmethod
    def add(self, token_hash: bytes, evidence_id: Ulid, person: Person, now: datetime, expires_at: datetime) -> None:
        """Keep a link that was not used yet."""

    @abstractmethod
    def use(self, token_hash: bytes, now: datetime) -> str | None:
        """The object key of the masked key frame, once.

        None if the link is unknown, used, expired, or its person may not see the picture (any more). The one caller who
        gets the key also leaves the audit row, in the same transaction.
        """


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Who is entered, with what they may see."""

    name: str
    role: Role
    language: Language
    centres: tuple[int, ...] = ()
    regions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonListing:
    """One line of `uriai people list`."""

    person: Person
    centres: tuple[str, ...]
    regions: tuple[str, ...]
    platforms: tuple[str, ...]
    tokens: int
    disabled_at: datetime | None


class PersonExistsError(Exception):
    """A person of that name is there already."""


class People(ABC):
    """The people who may ask. Tokens and codes are kept as SHA-256; every change leaves an audit row by ``actor``."""

    @abstractmethod
    def add(self, new: NewPerson, actor: str, now: datetime) -> Person:
        """Enter somebody.

        Raises
        ------
        PersonExistsError
            If the name is taken.
        """

    @abstractmethod
    def named(self, name: str) -> Person | None:
        """The person of that name who is not disabled."""

    @abstractmethod
    def listing(self) -> Sequence[PersonListing]:
        """Everybody, by name, the disabled too."""

    @abstractmethod
    def disable(self, person: Person, actor: str, now: datetime) -> None:
        """Take all rights away: tokens, codes, links and chats stop at once."""

    @abstractmethod
    def add_token(self, person: Person, token_hash: bytes, actor: str, now: datetime) -> None:
        """Give a new bearer token; the older ones are revoked."""

    @abstractmethod
    def by_token(self, token_hash: bytes) -> Person | None:
        """Whose token it is; None if it is unknown or revoked or the person is disabled."""

    @abstractmethod
    def add_code(self, person: Person, code_hash: bytes, expires_at: datetime, actor: str, now: datetime) -> None:
        """Give a one-time enrolment code; the person's older unused ones end."""

    @abstractmethod
    def use_code(self, code_hash: bytes, platform: Platform, platform_user: str, now: datetime) -> Person | None:
        """Bind a chat to the person of an unused code that has not expired, once; None if there is none.

        From the chat that it has bound, a code comes again as often as the platform delivers it.
        """

    @abstractmethod
    def by_chat(self, platform: Platform, platform_user: str) -> Person | None:
        """Who writes from that chat; None if nobody enrolled it or the person is disabled."""
