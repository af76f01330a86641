"""A small country for the chatbot: three centres in two districts, their cameras, clips, incidents and pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from pymysql.cursors import DictCursor

from uriai import bootstrap
from uriai.adapters.chat.http import Desk, KakaoSecrets, SlackSecrets, TelegramSecrets
from uriai.adapters.database.centres import NewCentre, add_camera, add_centre
from uriai.adapters.database.connection import Connection, Database
from uriai.adapters.database.coverage import SqlCoverage
from uriai.adapters.database.dialogues import SqlDeliveries, SqlDialogues
from uriai.adapters.database.people import SqlPeople, find_region
from uriai.adapters.database.subscriptions import SqlSubscriptions
from uriai.domain.coverage import Span
from uriai.domain.person import Language, Person
from uriai.domain.ulid import Ulid
from uriai.domain.words import Role
from uriai.service.answer_question import Chat
from uriai.service.enrol_person import Credentials, enrol_person
from uriai.service.ports.chat import NewPerson
from uriai.service.ports.clock import Clock
from uriai.service.ports.later import Job, Later

NOW = datetime(2026, 7, 22, 5, 20, tzinfo=UTC)
"""14:20 in Seoul, a Wednesday."""


@dataclass
class SetClock(Clock):
    """A clock that a test turns."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Pictures:
    """Signs nothing, but remembers what it was asked to sign."""

    signed: list[tuple[str, int]] = field(default_factory=list)

    def presign(self, key: str, seconds: int) -> str:
        self.signed.append((key, seconds))
        return f"https://pictures.example/{key}?expires={seconds}"


@dataclass
class Queue(Later):
    """Keeps questions that were to be answered later."""

    jobs: list[Job] = field(default_factory=list)

    def put(self, job: Job) -> None:
        self.jobs.append(job)


def make_desk(database: Database, people: SqlPeople, chat: Chat, pictures: Pictures, queue: Queue) -> Desk:
    """The web interface with secrets that tests know."""
    return Desk(
        people=people,
        chat=chat,
        pictures=lambda: pictures,
        dialogues=SqlDialogues(database),
        deliveries=SqlDeliveries(database),
        subscriptions=SqlSubscriptions(database),
        later=lambda: queue,
        kakao=lambda: KakaoSecrets("a-shared-secret", frozenset({"bot-1"})),
        slack=lambda: SlackSecrets("a-signing-secret"),
        telegram=lambda: TelegramSecrets("a-webhook-secret"),
        base_url="https://chat.example/live",
    )


@dataclass
class Country:
    """Writes rows as the pipeline would."""

    database: Database
    clock: SetClock
    people: SqlPeople
    centres: dict[str, int] = field(default_factory=dict)

    def centre(self, name: str, district: str, cameras: int = 3, time_zone: str = "Asia/Seoul") -> int:
        def work(cursor: DictCursor) -> int:
            new = NewCentre(name, "경기도", district, "정자동", time_zone=time_zone)
            centre_id = add_centre(cursor, new, NOW)
            gateway = f"gw-{centre_id}"
            cursor.execute(
                "INSERT INTO gateway (gateway_id, centre_id, created_at) VALUES (%s, %s, %s)", (gateway, centre_id, NOW)
            )
            for number in range(1, cameras + 1):
                add_camera(cursor, gateway, number, "", NOW)
            return centre_id

        self.centres[name] = self.database.run(work)
        return self.centres[name]

    def clip(self, centre: str, camera: int, at: datetime, state: str | None = "done") -> Ulid:
        clip_id = Ulid.new(at)

        def work(cursor: DictCursor) -> None:
            camera_id = self._camera(cursor, centre, camera)
            cursor.execute(
                "INSERT INTO clip (clip_id, object_key, camera_id, started_at, ended_at, received_at, current_state) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (clip_id.value, f"clips/{clip_id}.mp4", camera_id, at, at + timedelta(seconds=10), at, state),
            )
            if state:
                cursor.execute(
                    "INSERT INTO analysis (analysis_id, clip_id, model_set, current_of, state, models, analysed_at) "
                    "VALUES (%s, %s, %s, %s, %s, '{}', %s)",
                    (clip_id.value, clip_id.value, bytes(32), clip_id.value, state, at),
                )

        self.database.run(work)
        return clip_id

    def covered(self, centre: str, camera: int, *spans: tuple[datetime, datetime]) -> None:
        """What a camera recorded."""

        def work(cursor: DictCursor) -> None:
            SqlCoverage(cursor).add(self._camera(cursor, centre, camera), [Span(*span) for span in spans])

        self.database.run(work)

    def incident(
        self,
        centre: str,
        camera: int,
        number: int,
        at: datetime,
        *,
        kind: str = "physical",
        status: str = "pending_review",
        confidence: float = 0.93,
        withheld: bool = False,
        merged_into: Ulid | None = None,
        picture: bool = True,
    ) -> Ulid:
        clip_id = self.clip(centre, camera, at)
        incident_id, end = Ulid.new(at), at + timedelta(seconds=8)

        def work(cursor: DictCursor) -> None:
            camera_id = self._camera(cursor, centre, camera)
            cursor.execute(
                "INSERT INTO finding (finding_id, analysis_id, camera_id, kind, start_ms, end_ms, started_at, "
                "ended_at, confidence, verdict, thresholds, basis) "
                "VALUES (%s, %s, %s, %s, 0, 8000, %s, %s, %s, 'review', '{}', '{}')",
                (clip_id.value, clip_id.value, camera_id, kind, at, end, confidence),
            )
            cursor.execute(
                "INSERT INTO incident (incident_id, centre_id, camera_id, number, kind, verdict, status, started_at, "
                "ended_at, confidence, withhold_from_director, merged_into, created_at, updated_at) "
                "VALUES (%s, %s, %s, %s, %s, 'review', %s, %s, %s, %s, %s, %s, %s, %s)",
                (incident_id.value, self.centres[centre], camera_id, number, kind, status, at, end, confidence,
                 withheld, merged_into.value if merged_into else None, at, at),
            )  # fmt: skip
            cursor.execute("INSERT INTO incident_finding VALUES (%s, %s)", (incident_id.value, clip_id.value))
            for role in ("key_frame", "key_frame_masked") if picture else ():
                name = role.replace("_", "-")
                cursor.execute(
                    "INSERT INTO evidence (evidence_id, finding_id, clip_id, role, object_key, sha256, shown_at, "
                    "created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                    (Ulid.new(at).value, clip_id.value, clip_id.value, role, f"evidence/{clip_id}/{name}.jpg",
                     bytes(32), at + timedelta(seconds=4), at),
                )  # fmt: skip

        self.database.run(work)
        return incident_id

    def person(
        self, name: str, role: Role, *, centres: tuple[str, ...] = (), regions: tuple[str, ...] = ()
    ) -> Credentials:
        found = tuple(find_region(self.database, region) or 0 for region in regions)
        language = Language.ENGLISH if name.isascii() else Language.KOREAN
        new = NewPerson(name, role, language, tuple(self.centres[centre] for centre in centres), found)
        return enrol_person(new, self.people, self.clock, "test")

    def rows(self, statement: str, *parameters: object) -> list[dict[str, object]]:
        def work(cursor: DictCursor) -> list[dict[str, object]]:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

        return self.database.run(work)

    def audit(self, action: str) -> list[dict[str, object]]:
        found = self.rows("SELECT * FROM audit WHERE action = %s ORDER BY audit_id", action)
        return [row | {"detail": json.loads(str(row["detail"]))} for row in found]

    def _camera(self, cursor: DictCursor, centre: str, number: int) -> int:
        cursor.execute(
            "SELECT camera_id FROM camera WHERE centre_id = %s AND number = %s", (self.centres[centre], number)
        )
        return int((cursor.fetchone() or {})["camera_id"])


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def pictures() -> Pictures:
    return Pictures()


@pytest.fixture
def country(database: Database, clock: SetClock) -> Country:
    country = Country(database, clock, SqlPeople(database))
    country.centre("샛별어린이집", "성남시 분당구")
    country.centre("하늘어린이집", "성남시 분당구")
    country.centre("푸른숲어린이집", "수원시 영통구")
    return country


@pytest.fixture
def chat(database: Database, clock: SetClock) -> Chat:
    wired = bootstrap.chat(database)
    return Chat(wired.questions, wired.links, clock)


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def desk(country: Country, chat: Chat, pictures: Pictures, queue: Queue) -> Desk:
    return make_desk(country.database, country.people, chat, pictures, queue)


@pytest.fixture
def another_desk(
    connect: Callable[[], Connection], clock: SetClock, pictures: Pictures, queue: Queue
) -> Callable[[], Desk]:
    """The same country served by another container, on a connection of its own."""

    def make() -> Desk:
        database = Database(connect)
        wired = bootstrap.chat(database)
        chat = Chat(wired.questions, wired.links, clock)
        return make_desk(database, SqlPeople(database), chat, pictures, queue)

    return make


@pytest.fixture
def director(country: Country) -> Person:
    return country.person("김샛별", Role.DIRECTOR, centres=("샛별어린이집",)).person


def seoul(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """An instant of July 2026 by Seoul's clocks."""
    return datetime(2026, 7, day, hour, minute, second, tzinfo=UTC) - timedelta(hours=9)
