"""Who may do what to an incident, and what the centre never sees. On a real MariaDB."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.pipeline.fakes import DOUBTFUL, KEY, NOON, script
from uriai.adapters.database.centres import NewCentre, add_centre
from uriai.adapters.database.gateways import add_gateway
from uriai.adapters.database.people import SqlPeople
from uriai.adapters.database.questions import SqlQuestions
from uriai.domain.authority import ALLOWED
from uriai.domain.incident import Decision, IllegalTransitionError
from uriai.domain.person import Language
from uriai.domain.utterance.dates import Range
from uriai.domain.words import Role, Status
from uriai.service.authorise import NotAllowedError
from uriai.service.count_of_day import counted_details, waiting_incidents
from uriai.service.decide_review import (
    AmbiguousNumberError,
    IncidentNotFoundError,
    Named,
    Ruling,
    decide_review,
    move_incident,
    withhold_from_director,
)
from uriai.service.make_bundle import BundleDesk, make_bundle
from uriai.service.ports.chat import Filter, NewPerson
from uriai.service.take_review import take_review

pytestmark = pytest.mark.integration

TODAY = Filter(range=Range(NOON - timedelta(hours=12), NOON + timedelta(hours=12)))


@pytest.fixture
def people(world):
    """One person of every role, each with the centre in their scope; and an expert of another region."""
    region = world.row("SELECT region_id FROM region")["region_id"]
    with world.database.transaction() as cursor:
        cursor.execute("INSERT INTO region (province, district) VALUES ('서울특별시', '강서구')")
        elsewhere = cursor.lastrowid
    add = SqlPeople(world.database).add
    found = {}
    for role in Role:
        centres = (world.centre_id,) if role is Role.DIRECTOR else ()
        regions = () if role in (Role.DIRECTOR, Role.OPERATOR) else (region,)
        found[role] = add(NewPerson(f"the {role}", role, Language.KOREAN, centres, regions), "test", NOON)
    found["far"] = add(NewPerson("far away", Role.EXPERT, Language.KOREAN, (), (elsewhere,)), "test", NOON)
    return found


def incident(world, seconds=0, seq=1):
    world.analyse(world.place(script(*DOUBTFUL), started_at=NOON + timedelta(seconds=seconds), seq=seq))


def status(world):
    return world.row("SELECT status FROM incident")["status"]


def decide(world, person, decision=Decision.REPORT):
    return decide_review(
        Ruling(1, decision, "seen", person.name, person=person), world.outside.transactions, world.outside.clock
    )


def ruling(number, person, centre=None):
    return Ruling(number, Decision.SAFE, "seen", person.name, centre, person)


def move(world, person, to):
    named = Named(1, "seen", person.name, person=person)
    return move_incident(named, Status(to), world.outside.transactions, world.outside.clock)


def withhold(world, person, number=1, withheld=True):
    named = Named(number, "they are implicated", person.name, person=person)
    return withhold_from_director(named, withheld, world.outside.transactions, world.outside.clock)


@pytest.mark.parametrize("role", list(Role))
def test_only_experts_and_operators_decide(world, people, role):
    incident(world)
    if role in (Role.EXPERT, Role.OPERATOR):
        decide(world, people[role])
        assert status(world) == "reported"
        audit = world.row("SELECT person_id, actor FROM audit WHERE action = 'incident.reported'")
        assert audit == {"person_id": people[role].id, "actor": f"the {role}"}
    else:
        with pytest.raises(NotAllowedError, match=f"the {role} is {role} and may not decide on an incident"):
            decide(world, people[role])
        assert status(world) == "pending_review"


def test_an_expert_of_another_region_decides_nothing_here(world, people):
    incident(world)
    with pytest.raises(IncidentNotFoundError) as refused:
        decide(world, people["far"])
    world.rows("DELETE FROM audit")
    with pytest.raises(IncidentNotFoundError) as unknown:
        decide_review(ruling(99, people["far"]), world.outside.transactions, world.outside.clock)
    assert (
        str(refused.value)
        == str(unknown.value).replace("99", "1")
        == ("there is no incident 1: see `uriai review list`")
    )
    assert status(world) == "pending_review"


def test_of_several_centres_with_a_number_only_those_in_scope_are_named(world, people):
    incident(world)
    for n, (name, district) in enumerate((("달님어린이집", "강서구"), ("해님어린이집", "강서구")), start=2):
        with world.database.transaction() as cursor:
            centre_id = add_centre(cursor, NewCentre(name, "서울특별시", district), NOON)
            add_gateway(cursor, f"seoul-{n}", centre_id, bytes(KEY.verify_key), NOON - timedelta(days=100))
        world.analyse(world.place(script(*DOUBTFUL), gateway=f"seoul-{n}", salt=n))
    run, clock = world.outside.transactions, world.outside.clock
    decided = decide_review(ruling(1, people[Role.EXPERT]), run, clock)
    assert decided.centre.name == "샛별어린이집", "theirs is the only one there is for them"
    with pytest.raises(AmbiguousNumberError) as several:
        decide_review(ruling(1, people["far"]), run, clock)
    assert str(several.value) == "incident 1 is one of 달님어린이집, 해님어린이집: say which with --centre"
    for verb in (
        lambda: take_review(ruling(1, people["far"], "샛별어린이집").named, run, clock),
        lambda: withhold_from_director(ruling(1, people["far"], "샛별어린이집").named, True, run, clock),
        lambda: make_bundle(
            ruling(1, people["far"], "샛별어린이집").named, Path("never"), BundleDesk(run, world.bucket, clock)
        ),
    ):
        with pytest.raises(IncidentNotFoundError, match="there is no incident 1 in 샛별어린이집: see"):
            verb()


def test_whoever_may_not_is_told_so_before_anything_is_looked_up(world, people):
    run, clock = world.outside.transactions, world.outside.clock
    with pytest.raises(NotAllowedError, match="may not decide"):
        decide_review(ruling(77, people[Role.DIRECTOR]), run, clock)
    incident(world)
    with pytest.raises(IncidentNotFoundError):
        move(world, people[Role.POLICE_LIAISON], "dispatched")  # nothing is the police's before it was reported


def test_no_director_is_allowed_anything(world):
    assert all(Role.DIRECTOR not in roles for roles in ALLOWED.values())


def test_from_the_rules_to_the_police_every_step_is_audited(world, people):
    incident(world)
    decide(world, people[Role.EXPERT])
    move(world, people[Role.POLICE_LIAISON], "dispatched")
    move(world, people[Role.POLICE_LIAISON], "closed")
    actions = world.rows("SELECT action, detail FROM audit WHERE subject LIKE 'incident:%%' ORDER BY audit_id")
    assert [row["action"] for row in actions] == [
        "incident.pending_review", "incident.reported", "police_report.before_dispatch", "incident.dispatched",
        "incident.closed",
    ]  # fmt: skip
    assert '"from": "dispatched"' in actions[-1]["detail"]


@pytest.mark.parametrize("to", ["dispatched", "closed", "resolved"])
def test_a_step_that_the_design_does_not_have_changes_nothing(world, people, to):
    incident(world)
    with pytest.raises(IllegalTransitionError, match=f"is pending_review and cannot become {to}"):
        move(world, people[Role.OPERATOR], to)
    assert status(world) == "pending_review"
    assert world.count("audit", f"action = 'incident.{to}'") == 0


@pytest.mark.parametrize("role", list(Role))
def test_who_may_withhold_is_neither_the_centre_nor_the_police(world, people, role):
    incident(world)
    if role in (Role.EXPERT, Role.POLICY_OFFICER, Role.OPERATOR):
        assert withhold(world, people[role]) == (1,)
    else:
        with pytest.raises(NotAllowedError):
            withhold(world, people[role])
    assert world.count("audit", "action = 'incident.withheld'") == world.count("incident", "withhold_from_director = 1")


def test_what_is_withheld_is_hidden_from_the_director_wherever_they_ask_and_from_nobody_else(world, people):
    incident(world)
    withhold(world, people[Role.POLICY_OFFICER])
    questions = SqlQuestions(world.database)
    (told,) = questions.incidents(people[Role.POLICY_OFFICER], TODAY, 10)
    director = people[Role.DIRECTOR]
    for answer in (
        questions.incidents(director, TODAY, 10),
        questions.tally(director, TODAY),
        questions.numbered(director, 1, []),
        questions.pictures(director, [told.id]),
    ):
        assert list(answer) == []
    assert questions.strongest(director, TODAY) is None
    assert len(questions.pictures(people[Role.POLICY_OFFICER], [told.id])) == 1


def test_an_incidents_place_in_its_day_leaves_no_hole_where_one_is_hidden(world, people):
    for n, seconds in enumerate((7200, 0, 3600), start=1):
        incident(world, seconds, n)
    incident(world, -20 * 3600, 9)
    questions, now = SqlQuestions(world.database), world.outside.clock.now()

    def told(role, number):
        person = people[role]
        (one,) = questions.numbered(person, number, [])
        return counted_details(Language.ENGLISH, one, now, person, questions)

    assert "at the centre it is number 3." in told(Role.POLICY_OFFICER, 1), "by its start, not by its number"
    assert "at the centre it is number 1." in told(Role.POLICY_OFFICER, 4), "the day before is another day"
    withhold(world, people[Role.POLICY_OFFICER], 3)
    assert "at the centre it is number 2." in told(Role.DIRECTOR, 1)
    assert "at the centre it is number 3." in told(Role.POLICY_OFFICER, 1)
    waiting = waiting_incidents((Status.PENDING_REVIEW,), 10, world.outside.transactions)
    assert {item.incident.number: count for item, count in waiting} == {1: 3, 2: 1, 3: 2, 4: 1}


def test_withholding_reaches_what_continues_an_incident_and_what_it_continues(world, people):
    for n, seconds in enumerate((0, 30, 60), start=1):
        incident(world, seconds, n)
        if n < 3:
            decide_review(Ruling(n, Decision.SAFE, "seen", "operator"), world.outside.transactions, world.outside.clock)
    incident(world, 4000, 9)
    links = {row["number"]: row["linked_to"] for row in world.rows("SELECT * FROM incident ORDER BY number")}
    assert [n for n, other in links.items() if other] == [2, 3], "each continues the one before"
    assert withhold(world, people[Role.EXPERT], 2) == (1, 2, 3)
    assert withhold(world, people[Role.EXPERT], 2) == (), "once"
    assert withhold(world, people[Role.EXPERT], 3, withheld=False) == (3,), "shown one by one"
    hidden = world.rows("SELECT number FROM incident WHERE withhold_from_director = 1 ORDER BY number")
    assert [row["number"] for row in hidden] == [1, 2]
