"""What the chatbot says of a masked copy: being made, behind a link, impossible, or that there is no such incident."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from tests.integration.chat.conftest import Country, SetClock, seoul
from uriai.adapters.database.channels import Owner, set_channel
from uriai.adapters.database.transactions import SqlTransactions
from uriai.domain.identity import evidence_id
from uriai.domain.person import Person
from uriai.domain.telling import Hours, Medium
from uriai.domain.ulid import Ulid
from uriai.domain.words import EvidenceRole, Role
from uriai.service.answer_question import Chat, answer_question
from uriai.service.dialogue import Answer, Question
from uriai.service.open_evidence import open_evidence
from uriai.service.ports.masked_copies import MaskQueue
from uriai.service.request_masked_copy import CopyDesk

pytestmark = pytest.mark.integration


@dataclass
class Jobs(MaskQueue):
    """Keeps jobs."""

    findings: list[Ulid] = field(default_factory=list)

    def put(self, finding_id: Ulid) -> None:
        self.findings.append(finding_id)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def copying(chat: Chat, country: Country, jobs: Jobs) -> Chat:
    """The chat beside a queue to `mask`."""
    country.incident("샛별어린이집", 1, 12, seoul(22, 10))
    original(country)
    return replace(chat, copies=CopyDesk(SqlTransactions(country.database), lambda: jobs))


def original(country: Country) -> None:
    """The clip itself as evidence, as `analyze` files it."""
    country.database.run(
        lambda cursor: cursor.execute(
            "INSERT INTO evidence (evidence_id, finding_id, clip_id, role, object_key, sha256, shown_at, created_at) "
            "SELECT REVERSE(f.finding_id), f.finding_id, k.clip_id, 'original', k.object_key, REPEAT('x', 32), "
            "f.started_at, k.received_at FROM finding f JOIN clip k ON k.clip_id = f.analysis_id"
        )
    )


def ask(chat: Chat, person: Person, text: str) -> Answer:
    return answer_question(Question(person, text, base_url="https://chat.example/live"), chat)


def make_ready(country: Country, finding: Ulid) -> None:
    """As `mask` does."""

    def work(cursor: object) -> None:
        cursor.execute(
            "INSERT INTO evidence (evidence_id, finding_id, clip_id, role, object_key, sha256, shown_at, created_at) "
            "SELECT %s, finding_id, clip_id, 'masked_copy', 'evidence/masked-copy.mp4', sha256, shown_at, created_at "
            "FROM evidence WHERE role = 'original'",
            (evidence_id(finding, EvidenceRole.MASKED_COPY).value,),
        )
        cursor.execute("UPDATE masked_copy SET state = 'ready'")

    country.database.run(work)


def test_a_copy_is_being_made_and_then_behind_a_link_that_shows_the_copy_once(
    country: Country, copying: Chat, jobs: Jobs, director: Person, clock: SetClock
) -> None:
    told = ask(copying, director, "12번 마스킹본 보내줘")
    assert told.text == (
        "샛별어린이집 12번 사건의 얼굴을 가린 영상:\n"
        "· 7월 22일 10:00:00: 만들고 있습니다\n"
        "몇 분 뒤에 다시 물어봐 주세요."
    )  # fmt: skip
    assert told.cards == ()
    (finding,) = jobs.findings
    make_ready(country, finding)
    told = ask(copying, director, "send me a masked copy of 12")
    (link,) = [word for word in told.text.split() if word.startswith("https://chat.example/live/v1/evidence/")]
    assert "opens once, for you, within 24 hours" in told.text
    assert "being made" not in told.text
    assert link.endswith("/open"), "who only looks ahead finds a page with a button"
    token = link.removesuffix("/open").rpartition("/")[2]
    assert open_evidence(token, copying.links, clock) == "evidence/masked-copy.mp4"
    assert open_evidence(token, copying.links, clock) is None
    (audited,) = country.audit("evidence.opened")
    assert audited["detail"]["role"] == "masked_copy"
    assert [row["person_id"] for row in country.audit("masked_copy.asked")] == [director.id] * 2


def test_who_can_be_reached_is_told_that_a_link_will_come(country: Country, copying: Chat, director: Person) -> None:
    owner = Owner(director.id, director.name, is_station=False)
    country.database.run(
        lambda cursor: set_channel(cursor, owner, Medium.SLACK, "C1", Hours(), None, "test", country.clock.now())
    )
    assert ask(copying, director, "send me a masked copy of 12").text.endswith(
        "You will be sent a link when it is ready."
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE clip SET deletion_at = received_at", "the clip is deleted, so there is none"),
        ("DELETE FROM evidence WHERE role = 'original'", "rests on no video, so there is nothing to copy"),
    ],
)
def test_where_there_can_be_none_it_is_said(
    country: Country, copying: Chat, jobs: Jobs, director: Person, change: str, said: str
) -> None:
    country.database.run(lambda cursor: cursor.execute(change))
    assert said in ask(copying, director, "send me a masked copy of 12").text
    assert jobs.findings == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("undecodable", "영상을 재생할 수 없어"),
        ("object_missing", "영상을 찾을 수 없어"),
        ("altered", "분석할 때와 달라져"),
        ("clip_deleted", "영상이 삭제되어"),
        ("retries_exhausted", "만들고 있습니다"),
    ],
)
def test_why_there_is_none_is_said_and_what_may_pass_is_tried_again(
    country: Country, copying: Chat, director: Person, jobs: Jobs, code: str, said: str
) -> None:
    ask(copying, director, "12번 마스킹본 보내줘")
    country.database.run(
        lambda cursor: cursor.execute("UPDATE masked_copy SET state = 'failed', reason_code = %s", (code,))
    )
    assert said in ask(copying, director, "12번 마스킹본 보내줘").text
    assert len(jobs.findings) == (2 if code == "retries_exhausted" else 1)


def test_an_incident_of_another_centre_is_said_to_be_none(country: Country, copying: Chat, jobs: Jobs) -> None:
    stranger = country.person("박하늘", Role.DIRECTOR, centres=("하늘어린이집",)).person
    told = [ask(copying, stranger, f"{number}번 마스킹본 보내줘").text for number in (12, 99)]
    assert told[0].replace("12", "N") == told[1].replace("99", "N")
    assert jobs.findings == []
    assert country.audit("masked_copy.asked") == []


def test_of_many_clips_the_first_are_listed_and_the_rest_counted(
    country: Country, copying: Chat, director: Person, jobs: Jobs
) -> None:
    for minute in range(1, 7):
        country.incident("샛별어린이집", 1, 100 + minute, seoul(22, 10, minute), picture=False)
    country.database.run(lambda cursor: cursor.execute("DELETE FROM evidence WHERE role = 'original'"))
    original(country)
    country.database.run(
        lambda cursor: cursor.execute(
            "UPDATE incident_finding SET incident_id = (SELECT incident_id FROM incident WHERE number = 12)"
        )
    )
    told = ask(copying, director, "send me a masked copy of 12").text
    assert told.count("being made") == 5
    assert "2 more are not listed here." in told
    assert len(jobs.findings) == 7
