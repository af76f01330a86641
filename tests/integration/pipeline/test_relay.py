"""From the outbox to the queues and back to what became of it. The database is real; queues and receipts are fakes."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.integration.pipeline.at_once import at_once
from tests.integration.pipeline.staff import everybody, person, reach, region
from tests.unit.pipeline.fakes import DOUBTFUL, KEY, NOON, VIOLENT, StoppedClock, script
from tests.unit.telling.fakes import QueuesInMemory, ReceiptsInMemory, ScriptedMessenger
from uriai.adapters.database.centres import NewCentre, add_centre
from uriai.adapters.database.channels import remove_channel
from uriai.adapters.database.gateways import add_gateway
from uriai.adapters.database.outbox import UNTOLD_HOLES
from uriai.adapters.database.people import SqlPeople
from uriai.domain.incident import Decision
from uriai.domain.telling import CLAIM_LASTS, FIRST_PAGES, PAGE_AGAIN, PAGE_AGAIN_LATER, Hours, Medium
from uriai.domain.ulid import Ulid
from uriai.domain.words import Role
from uriai.service.authorise import NotAllowedError
from uriai.service.decide_review import Named, NotWaitingError, Ruling, decide_review
from uriai.service.deliver_message import LEASE, Post, deliver_message
from uriai.service.ports.messaging import RefusedError, TryAgainError
from uriai.service.ports.telling import NOT_IN_CHARGE
from uriai.service.relay_outbox import LOST_AFTER, Relay, relay_outbox
from uriai.service.take_review import TakenError, take_review
from uriai.service.tell_holes import FRESH, tell_holes
from uriai.service.tidings import LONGEST_BODY

pytestmark = pytest.mark.integration


@dataclass
class PostOffice:
    """`watch` and `notify` around one world, on one clock."""

    world: object
    clock: StoppedClock
    queues: QueuesInMemory
    receipts: ReceiptsInMemory
    messenger: ScriptedMessenger
    taken: int = 0

    @property
    def relay(self) -> Relay:
        return Relay(self.world.outside.transactions, self.queues, self.receipts, self.clock)

    def round(self, after=timedelta(0)):
        """What `watch` does after so long."""
        self.clock.instant += after
        return relay_outbox(self.relay)

    def notify(self):
        """What `notify` does with everything that is queued and was not taken yet."""
        post = Post(lambda medium: self.messenger, self.receipts, self.clock)
        for message in self.queues.put_messages[self.taken :]:
            try:
                deliver_message(message, post)
            except TryAgainError:
                self.queues.dead.append(message)
        self.taken = len(self.queues.put_messages)

    def states(self):
        rows = self.world.rows("SELECT occasion, recipient, repetition, state FROM outbox ORDER BY created_at")
        return sorted((row["occasion"], row["repetition"], row["state"]) for row in rows)

    def subjects(self):
        return [message.subject for message in self.queues.put_messages]


@pytest.fixture
def staff(world):
    return everybody(world)


@pytest.fixture
def office(world, staff):
    world.outside.clock.instant = NOON
    return PostOffice(world, world.outside.clock, QueuesInMemory(), ReceiptsInMemory(), ScriptedMessenger())


def violent(world, seconds=0, seq=1, windows=VIOLENT, camera=1):
    at = NOON + timedelta(seconds=seconds)
    world.analyse(world.place(script(*windows), started_at=at, seq=seq, camera=camera))


def reported(world):
    world.set_auto_report(True)
    violent(world)


def test_what_is_due_is_queued_once_sent_and_delivered(world, office):
    reported(world)
    assert office.round().queued == 3
    assert office.round().queued == 0
    office.notify()
    assert office.round().delivered == 3
    assert office.states() == [("reported", 0, "delivered")] * 3
    assert sorted(message.medium for message in office.messenger.sent) == ["slack", "slack", "telegram"]
    assert {message.address for message in office.messenger.sent} == {
        "address of 수원영통경찰서", "address of officer", "address of director",
    }  # fmt: skip


def test_a_crash_after_queueing_queues_the_same_message_again_and_it_is_sent_once(world, office):
    class DiedError(Exception):
        pass

    class Dying(QueuesInMemory):
        def put(self, message):
            super().put(message)
            raise DiedError

    violent(world)
    steady, office.queues = office.queues, Dying()
    with pytest.raises(DiedError):
        office.round()
    (first,) = office.queues.put_messages
    assert office.states() == [("page", 0, "waiting")]
    office.queues = steady
    office.round()
    assert steady.put_messages == [first], "the same id, the same text"
    steady.put_messages.append(first)
    office.notify()
    assert len(office.messenger.sent) == 1


def test_eight_rounds_at_once_queue_everything_once(world, office):
    world.set_auto_report(True)
    for n in range(6):
        violent(world, 100 * n, n + 1)
    office.clock.instant += timedelta(hours=1)
    lock = threading.Lock()

    class Locked(QueuesInMemory):
        def put(self, message):
            with lock:
                super().put(message)

    queues = Locked()

    def relay(beside):
        relay_outbox(Relay(beside.outside.transactions, queues, office.receipts, office.clock))

    at_once(world, relay)
    office.queues = queues
    office.round()
    ids = [message.id for message in queues.put_messages]
    assert len(set(ids)) == len(ids)
    assert office.states() == [("reported", 0, "queued")] * 18
    assert len(ids) == 18


def test_nobody_takes_it_so_the_expert_is_paged_again_and_again(world, office):
    violent(world)
    office.round()
    for _ in range(FIRST_PAGES):
        assert office.round(PAGE_AGAIN - timedelta(seconds=1)).queued == 0
        assert office.round(timedelta(seconds=1)).queued == 1
    assert office.round(PAGE_AGAIN).queued == 0
    assert office.round(PAGE_AGAIN_LATER - PAGE_AGAIN).queued == 1
    assert office.subjects()[:3] == [
        "[우리AI] 긴급 확인: 샛별어린이집 1번 신체학대 의심",
        "[다시 알림 1] [우리AI] 긴급 확인: 샛별어린이집 1번 신체학대 의심",
        "[다시 알림 2] [우리AI] 긴급 확인: 샛별어린이집 1번 신체학대 의심",
    ]


def take(world, who):
    return take_review(Named(1, "", who), world.outside.transactions, world.outside.clock)


def test_once_taken_nobody_is_paged_until_the_claim_lapses(world, office):
    violent(world)
    office.round()
    assert take(world, "expert").incident.number == 1
    assert office.round(PAGE_AGAIN).queued == 0
    assert office.round(CLAIM_LASTS - PAGE_AGAIN).queued == 1
    audit = world.row("SELECT actor, detail FROM audit WHERE action = 'incident.taken'")
    assert audit["actor"] == "expert"
    assert json.loads(audit["detail"]) == {"number": 1}


def test_the_first_to_take_it_has_it_until_the_claim_lapses(world, office):
    violent(world)
    take(world, "first")
    office.clock.instant += timedelta(hours=1)
    with pytest.raises(TakenError, match=r"was taken by first at 03:00 UTC: ask them, or wait until 07:00 UTC"):
        take(world, "second")
    take(world, "first")
    office.clock.instant += CLAIM_LASTS
    with pytest.raises(TakenError):
        take(world, "second")
    office.clock.instant += timedelta(seconds=1)
    take(world, "second")
    assert world.row("SELECT taken_by FROM incident_claim")["taken_by"] == "second"


def test_of_eight_who_take_it_at_once_one_has_it(world, office):
    violent(world)
    start, outcomes = threading.Barrier(8), []

    def run(who):
        beside = world.beside()
        try:
            start.wait(10)
            take(beside, who)
            outcomes.append("mine")
        except TakenError as error:
            outcomes.append(str(error).partition(" at ")[0])
        finally:
            beside.database.close()

    threads = [threading.Thread(target=run, args=(f"expert {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    holder = world.row("SELECT taken_by FROM incident_claim")["taken_by"]
    assert sorted(outcomes) == [f"incident 1 of 샛별어린이집 was taken by {holder}"] * 7 + ["mine"]


def test_what_is_decided_cannot_be_taken_and_a_director_can_take_nothing(world, office, staff):
    violent(world)
    director = SqlPeople(world.database).named("director")
    with pytest.raises(NotAllowedError):
        take_review(Named(1, "", "director", None, director), world.outside.transactions, world.outside.clock)
    decide_review(Ruling(1, Decision.SAFE, "seen", "expert"), world.outside.transactions, office.clock)
    with pytest.raises(NotWaitingError, match="is dismissed: only what is pending_review can be taken"):
        take(world, "expert")


@pytest.mark.parametrize("decision", Decision)
def test_after_a_decision_nobody_is_paged(world, office, decision):
    violent(world)
    office.round()
    decide_review(Ruling(1, decision, "seen", "expert"), world.outside.transactions, office.clock)
    office.round(PAGE_AGAIN)
    assert [state for state in office.states() if state[0] == "page"] == [
        ("page", 0, "queued"),
        ("page", 1, "overtaken"),
    ]


def test_what_is_withheld_before_it_was_sent_does_not_get_to_the_director(world, office):
    reported(world)
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE incident SET withhold_from_director = TRUE")
    assert office.round().queued == 2
    row = world.row("SELECT reason FROM outbox WHERE state = 'overtaken'")
    assert row["reason"] == "the incident was withheld"
    assert "address of director" not in {message.address for message in office.queues.put_messages}


def test_what_is_withheld_between_a_rounds_look_and_its_message_does_not_get_to_the_director(world, office):
    reported(world)
    office.relay.transactions.run(lambda rows: rows.outgoing.overtake(NOON))

    class Late(QueuesInMemory):
        """The officer withholds the incident after the first of the round's messages."""

        def put(self, message):
            super().put(message)
            beside = world.beside()
            with beside.database.transaction() as cursor:
                cursor.execute("UPDATE incident SET withhold_from_director = TRUE")
            beside.database.close()

    office.queues = Late()
    with world.database.transaction() as cursor:
        # the director's comes last
        cursor.execute(
            "UPDATE outbox o JOIN channel ch ON ch.channel_id = o.channel_id JOIN person p ON p.person_id = "
            "ch.person_id SET o.due_at = %s WHERE p.role = 'director'", (NOON + timedelta(seconds=1),),
        )  # fmt: skip
    office.clock.instant = NOON + timedelta(seconds=2)
    assert office.round().queued == 2
    assert world.row("SELECT reason FROM outbox WHERE state = 'overtaken'")["reason"] == "the incident was withheld"
    assert "address of director" not in {message.address for message in office.queues.put_messages}


def dismissed(world, owner, change):
    """Take the centre, or what makes it theirs, from somebody."""
    statement = {
        "another region": "UPDATE person_region SET region_id = %s WHERE person_id = %s",
        "no centre": "DELETE FROM person_centre WHERE centre_id = %s AND person_id = %s",
        "another role": "UPDATE person SET role = IF(%s, 'director', 'director') WHERE person_id = %s",
    }[change]
    first = region(world, district="성남시") if change == "another region" else world.centre_id
    world.rows(statement, (first, owner.id))


@pytest.mark.parametrize(
    ("who", "change"),
    [("officer", "another region"), ("officer", "another role"), ("director", "no centre")],
)
def test_who_is_no_longer_in_charge_when_a_message_goes_out_is_not_told(world, office, staff, who, change):
    reported(world)
    dismissed(world, staff[who], change)
    assert office.round().queued == 2
    assert f"address of {who}" not in {message.address for message in office.queues.put_messages}
    row = world.row("SELECT state, reason FROM outbox WHERE recipient = %s", (f"person:{staff[who].id}",))
    assert (row["state"], row["reason"]) == ("overtaken", NOT_IN_CHARGE)


def test_what_one_no_longer_in_charge_was_to_be_told_goes_to_who_is_now(world, office, staff):
    violent(world)
    office.round()
    assert [message.address for message in office.queues.put_messages] == ["address of expert"]
    dismissed(world, staff["expert"], "another region")
    successor = person(world, "successor", Role.EXPERT, regions=[region(world)])
    office.round(PAGE_AGAIN)
    office.round()
    told = [message.address for message in office.queues.put_messages]
    assert told == ["address of expert", "address of successor"], "paged at once, and the other never again"
    office.round(PAGE_AGAIN)
    assert office.subjects()[-1].startswith("[다시 알림 1]")
    assert world.count("outbox", f"recipient = 'person:{successor.id}' AND occasion = 'page'") == 3


def test_where_nobody_is_in_charge_any_more_the_operators_hear_of_it(world, office, staff):
    violent(world)
    dismissed(world, staff["expert"], "another region")
    office.round()
    office.round()
    assert [message.address for message in office.queues.put_messages] == ["address of operator"]
    assert world.count("outbox", "occasion = 'no_expert'") == 1


def test_a_hole_that_one_no_longer_in_charge_was_to_be_told_of_goes_to_who_is_now(world, office, staff):
    put_hole(world, 1, found_at=NOON)
    holes_told(world, office)
    dismissed(world, staff["officer"], "another region")
    person(world, "successor", Role.POLICY_OFFICER, regions=[region(world)])
    office.round()
    office.round()
    assert sorted(message.address for message in office.queues.put_messages) == [
        "address of director", "address of successor",
    ]  # fmt: skip
    assert all("1번 카메라" in message.body for message in office.queues.put_messages)


def test_of_a_digest_only_what_is_still_theirs_is_told(world, office, staff):
    """Two centres in two regions, one expert for both until the digest is due."""
    elsewhere = region(world, district="성남시")
    with world.database.transaction() as cursor:
        centre_id = add_centre(cursor, NewCentre("달님어린이집", "경기도", "성남시"), NOON)
        add_gateway(cursor, "moon-1", centre_id, bytes(KEY.verify_key), NOON - timedelta(days=100))
        cursor.execute("INSERT INTO person_region VALUES (%s, %s)", (staff["expert"].id, elsewhere))
    violent(world, windows=DOUBTFUL)
    world.analyse(world.place(script(*DOUBTFUL), gateway="moon-1", salt=7))
    world.rows("DELETE FROM person_region WHERE region_id = %s", (elsewhere,))
    assert office.round().queued == 1
    (message,) = office.queues.put_messages
    assert "샛별어린이집" in message.body
    assert "달님" not in message.subject + message.body


def test_the_review_of_an_incident_that_became_part_of_another_is_not_told(world, office):
    for n, seconds in enumerate((0, 100), start=1):
        violent(world, seconds, n, DOUBTFUL)
    violent(world, 50, 3, DOUBTFUL)
    assert office.round().queued == 1
    assert office.states() == [("review", 0, "overtaken"), ("review", 0, "queued")]


def test_reviews_of_a_night_come_in_one_message_and_more_than_fits_in_two(world, office, staff):
    reach(world, staff["expert"], "email", Hours(11 * 60, 15 * 60))
    for n in range(12):
        violent(world, 200 * n, n + 1, DOUBTFUL)
    assert office.round().queued == 0, "quiet hours"
    assert office.round(timedelta(hours=3)).queued == 2
    told = office.queues.put_messages
    assert sum(int(re.fullmatch(r"\[우리AI\] 확인 대기 (\d+)건", message.subject)[1]) for message in told) == 12
    assert all(len(message.subject) + len(message.body) < 1000 for message in told)
    assert all(len(message.body) <= LONGEST_BODY for message in told)
    for number in range(1, 13):
        assert sum(f"샛별어린이집 {number}번 사건" in message.body for message in told) == 1
    office.notify()
    office.round()
    assert office.states() == [("review", 0, "delivered")] * 12


def test_a_digest_is_the_same_message_when_it_is_queued_again(world, office, staff):
    class DiedError(Exception):
        pass

    class Dying(QueuesInMemory):
        def put(self, message):
            super().put(message)
            raise DiedError

    for n in range(2):
        violent(world, 200 * n, n + 1, DOUBTFUL)
    steady, office.queues = office.queues, Dying()
    with pytest.raises(DiedError):
        office.round()
    before = office.queues.put_messages
    violent(world, 400, 3, DOUBTFUL)
    office.queues = steady
    office.round()
    assert before[0] in steady.put_messages
    assert len(steady.put_messages) == 2, "what came later is a message of its own"


def test_a_refused_page_has_the_operator_told_and_goes_on(world, office):
    office.messenger = ScriptedMessenger(RefusedError("ses: BadRequestException"))
    violent(world)
    office.round()
    office.notify()
    assert office.round().failed == 1
    assert office.states() == [("page", 0, "failed"), ("page", 1, "waiting"), ("undelivered", 0, "waiting")]
    assert world.row("SELECT reason FROM outbox WHERE state = 'failed'")["reason"] == "ses: BadRequestException"
    office.round()
    assert office.queues.put_messages[-1].address == "address of operator"


def test_a_report_that_did_not_get_to_the_police_has_operator_and_officer_told(world, office):
    reported(world)
    office.round()
    station = next(message for message in office.queues.put_messages if message.medium is Medium.TELEGRAM)
    office.queues.put_messages.remove(station)
    office.notify()
    office.queues.dead.append(station)
    relayed = office.round()
    assert (relayed.delivered, relayed.failed) == (2, 1)
    assert office.queues.dead == []
    assert world.row("SELECT reason FROM outbox WHERE state = 'failed'")["reason"].startswith("given up after every")
    told = world.rows("SELECT recipient, body FROM outbox WHERE occasion = 'unreported'")
    assert len(told) == 2
    assert all("112" in row["body"] and "수원영통경찰서" in row["body"] for row in told)


def test_a_dead_letter_of_what_was_sent_after_all_fails_nothing(world, office):
    violent(world)
    office.round()
    office.notify()
    office.queues.dead.append(office.queues.put_messages[0])
    relayed = office.round()
    assert (relayed.delivered, relayed.failed) == (1, 0)
    assert office.queues.dead == []


def test_a_dead_letter_keeps_the_last_attempts_reason(world, office):
    office.messenger = ScriptedMessenger(TryAgainError("slack answered 500"))
    violent(world)
    office.round()
    office.notify()
    office.round()
    reason = world.row("SELECT reason FROM outbox WHERE state = 'failed'")["reason"]
    assert reason == "given up after every attempt: slack answered 500"


def test_a_message_that_its_queue_lost_is_queued_again_under_its_id(world, office):
    violent(world, windows=DOUBTFUL)
    office.round()
    (lost,) = office.queues.put_messages
    office.round(LOST_AFTER)
    assert office.states() == [("review", 0, "queued")]
    office.round(timedelta(seconds=1))
    office.round(LEASE)
    assert office.queues.put_messages == [lost, lost]
    office.taken = 1
    office.notify()
    office.round()
    assert office.states() == [("review", 0, "delivered")]


def test_what_was_due_while_watch_did_not_run_is_queued_once_and_not_taken_for_lost(world, office):
    violent(world, windows=DOUBTFUL)
    office.round(2 * LOST_AFTER)
    office.round(timedelta(minutes=1))
    assert len(office.queues.put_messages) == 1
    assert office.states() == [("review", 0, "queued")]


def test_what_goes_by_a_removed_channel_fails_and_a_new_address_gets_what_waits(world, office, staff):
    violent(world, windows=DOUBTFUL)
    with world.database.transaction() as cursor:
        remove_channel(cursor, staff["expert"], Medium.EMAIL, "test", NOON)
    assert office.round().queued == 0
    assert "the channel was removed" in world.row("SELECT reason FROM outbox")["reason"]
    violent(world, 200, 2, DOUBTFUL)
    reach(world, staff["expert"], "email")
    row = world.row("SELECT outbox_id FROM outbox WHERE state = 'failed' AND medium = 'email'")
    retried = Ulid(bytes(row["outbox_id"]))
    assert world.outside.transactions.run(lambda rows: rows.outbox.retry(retried, office.clock.instant))
    assert not world.outside.transactions.run(lambda rows: rows.outbox.retry(retried, office.clock.instant))
    office.round()
    assert "샛별어린이집 1번 사건" in " ".join(message.body for message in office.queues.put_messages)


def test_urgent_rows_are_queued_before_what_may_wait(world, office):
    violent(world, 0, 1, DOUBTFUL)
    violent(world, 300, 2, VIOLENT)
    office.clock.instant += timedelta(hours=1)
    relay_outbox(replace(office.relay, at_once=1))
    assert office.subjects() == ["[우리AI] 긴급 확인: 샛별어린이집 2번 신체학대 의심"]


def put_hole(world, camera, *, found_at, ended_at=None, filled=False, part=False):
    with world.database.transaction() as cursor:
        cursor.execute(
            """
            INSERT INTO coverage_hole (hole_id, camera_id, began_at, ended_at, cause, found_at, filled_at, split_from)
            SELECT %s, camera_id, %s, %s, 'no_records', %s, %s, %s FROM camera WHERE number = %s
            """,
            (
                Ulid.new(NOON).value, found_at - timedelta(minutes=3), ended_at, found_at,
                found_at if filled else None, bytes(16) if part else None, camera,
            ),
        )  # fmt: skip


def holes_told(world, office):
    return tell_holes(world.outside.transactions, office.clock)


def test_a_gateway_that_dies_is_one_message_to_the_officer_and_one_to_the_director(world, office):
    for camera in (1, 2, 3):
        put_hole(world, camera, found_at=NOON)
    assert holes_told(world, office) == 3
    assert holes_told(world, office) == 0
    office.round()
    told = office.queues.put_messages
    assert {message.address for message in told} == {"address of officer", "address of director"}
    assert [message.subject for message in told] == ["[우리AI] 녹화 공백 3건"] * 2
    for message in told:
        for camera in (1, 2, 3):
            assert f"녹화가 확인되지 않음 · {camera}번 카메라" in message.body
        assert "(계속되는 중)" in message.body


def test_more_holes_than_fit_one_look_are_all_told_in_one_round_and_what_time_does_not_allow_in_the_next(world, office):
    for camera in (1, 2, 3, 4):
        put_hole(world, camera, found_at=NOON + timedelta(seconds=camera))
    asked = iter((False, True))
    assert tell_holes(world.outside.transactions, office.clock, lambda: next(asked), at_once=2) == 2
    told = {row["about"] for row in world.rows("SELECT about FROM outbox")}
    oldest = world.rows("SELECT CONCAT('hole:', HEX(hole_id)) AS about FROM coverage_hole ORDER BY found_at LIMIT 2")
    assert told == {row["about"] for row in oldest}, "the oldest come first"
    assert holes_told(world, office) == 2
    assert holes_told(world, office) == 0


def test_a_round_of_telling_whose_time_is_up_goes_on_in_the_next(world, office):
    reported(world)
    asked = iter((False, True, True, True))
    assert relay_outbox(replace(office.relay, stop=lambda: next(asked))).queued == 1
    assert office.round().queued == 2


def test_what_was_no_hole_after_all_or_is_part_of_one_or_is_history_is_not_told(world, office):
    put_hole(world, 1, found_at=NOON, filled=True)
    put_hole(world, 2, found_at=NOON, part=True)
    put_hole(world, 3, found_at=NOON - FRESH - timedelta(seconds=1))
    put_hole(world, 4, found_at=NOON, ended_at=NOON)
    assert holes_told(world, office) == 1
    office.round()
    assert {message.subject for message in office.queues.put_messages} == {"[우리AI] 녹화 공백: 샛별어린이집"}
    assert all("4번 카메라" in message.body for message in office.queues.put_messages)


def test_holes_that_nobody_was_told_of_are_found_by_an_index_and_not_by_looking_at_all_there_ever_were(world, office):
    with world.database.transaction() as cursor:
        cursor.execute("SELECT camera_id FROM camera ORDER BY camera_id")
        cameras = [row["camera_id"] for row in cursor.fetchall()]
        began = [NOON - timedelta(hours=number) for number in range(6000)]
        cursor.executemany(
            "INSERT INTO coverage_hole (hole_id, camera_id, began_at, ended_at, cause, found_at) "
            "VALUES (%s, %s, %s, %s, 'no_records', %s)",
            [(n.to_bytes(16, "big"), cameras[n % 4], at, at, at) for n, at in enumerate(began)],
        )
        cursor.executemany(
            "INSERT INTO outbox (outbox_id, about, occasion, recipient, medium, centre_id, subject, body, state, "
            "due_at, created_at, updated_at) "
            "VALUES (%s, CONCAT('hole:', HEX(%s)), 'hole', 'person:1', 'none', %s, '', '', 'delivered', %s, %s, %s)",
            [(n.to_bytes(16, "big"), n.to_bytes(16, "big"), world.centre_id, *[began[n]] * 3) for n in range(6, 6000)],
        )
        for table in ("coverage_hole", "outbox"):
            cursor.execute(f"ANALYZE TABLE {table}")
            cursor.fetchall()
        cursor.execute("EXPLAIN " + UNTOLD_HOLES, (NOON - FRESH, 100))
        steps = {row["table"]: row for row in cursor.fetchall()}
        assert (steps["h"]["key"], steps["h"]["type"]) == ("coverage_hole_found", "range")
        assert int(steps["h"]["rows"]) < 100
        assert (steps["o"]["key"], int(steps["o"]["rows"])) == ("outbox_once", 1)
    assert holes_told(world, office) == 6
