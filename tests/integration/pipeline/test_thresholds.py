"""Thresholds of centres and cameras, and what a change would have done. On a real MariaDB."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta

import pytest
from click.testing import CliRunner

from tests.unit.pipeline.fakes import DOUBTFUL, GATEWAY, NOON, VIOLENT, StoppedClock, film, script
from tests.unit.rules.scenes import watched
from uriai.adapters.database.centres import NewCentre, add_centre, read_centre
from uriai.adapters.database.connection import Database
from uriai.adapters.database.people import SqlPeople
from uriai.adapters.database.transactions import repositories
from uriai.domain.person import Language
from uriai.domain.words import Role
from uriai.service.authorise import NotAllowedError
from uriai.service.ports.chat import NewPerson
from uriai.service.replay_rules import Effect, Replay, ReplayedCamera, replay_rules
from uriai.service.set_thresholds import Change, ThresholdError, set_thresholds
from uriai_cli.commands import replay_rules as replay_command
from uriai_cli.commands import thresholds as thresholds_command

pytestmark = pytest.mark.integration

HOUR = timedelta(hours=1)


@pytest.fixture
def officer(world):
    region = world.row("SELECT region_id FROM region")["region_id"]
    return SqlPeople(world.database).add(
        NewPerson("김주무관", Role.POLICY_OFFICER, Language.KOREAN, (), (region,)), "test", NOON
    )


def setting(world, person, camera=None, since=None, reason="they asked for it", now=NOON, **values):
    with world.database.transaction() as cursor:
        centre = read_centre(cursor, world.centre_id)
    place = None
    if camera is not None:
        place = world.outside.transactions.run(
            lambda rows: rows.gateways.camera(rows.gateways.find(GATEWAY), camera, NOON)
        )
    change = Change(centre, place, values, since, person, reason)
    return set_thresholds(change, world.outside.transactions, StoppedClock(now))


def violent_at(world, started_at, seq, camera=1, windows=DOUBTFUL):
    return world.analyse(world.place(script(*windows), started_at=started_at, seq=seq, camera=camera))


def test_a_clip_is_judged_by_what_was_in_force_when_it_started_however_late_it_arrives(world, officer):
    """The finding is at 0.85: above the default of 0.80, below 0.88."""
    setting(world, officer, since=NOON + HOUR, physical_review=0.88)
    setting(world, officer, since=NOON + 2 * HOUR, physical_review=0.82)
    starts = [NOON + HOUR * n / 2 for n in (1.999, 2, 3.999, 4)]
    found = [violent_at(world, start, n + 1).findings for n, start in enumerate(starts)]
    assert found == [1, 0, 0, 1]
    stored = [json.loads(row["thresholds"]) for row in world.rows("SELECT thresholds FROM finding ORDER BY started_at")]
    assert [thresholds["physical_review"] for thresholds in stored] == [0.80, 0.82]


def test_a_cameras_own_value_is_its_alone(world, officer):
    setting(world, officer, camera=2, physical_review=0.88)
    assert [violent_at(world, NOON + HOUR, n, camera=n).findings for n in (1, 2)] == [1, 0]


def test_default_takes_a_value_away_again(world, officer):
    setting(world, officer, physical_review=0.88)
    held = setting(world, officer, since=NOON + HOUR, physical_review=None)
    assert held.physical_review == 0.80
    assert [violent_at(world, NOON + HOUR * n / 2, n).findings for n in (1, 2)] == [0, 1]


def test_what_was_set_to_begin_later_is_replaced_by_what_is_set_for_earlier(world, officer):
    setting(world, officer, since=NOON + 5 * HOUR, physical_review=0.85)
    setting(world, officer, since=NOON + HOUR, physical_review=0.88)
    entries = world.outside.transactions.run(lambda rows: rows.thresholds.entries(world.centre_id))
    assert [(entry.value, entry.valid_from, entry.valid_to) for entry in entries] == [(0.88, NOON + HOUR, None)]
    assert world.count("threshold") == 2, "the other one is kept for the record"


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ({"physical_review": 0.95}, {}, "thresholds have to rise"),
        ({"physical_review": 1.2}, {}, "from 0.05 to 0.99"),
        ({"physical_reveiw": 0.8}, {}, "unknown threshold physical_reveiw; there are physical_report"),
        ({"neglect_least_s": 5}, {}, "from 10.0 to 60.0"),
        ({"physical_review": 0.85}, {"since": NOON - HOUR}, "is past"),
        ({"physical_review": 0.85}, {"reason": "  "}, "needs a reason"),
        ({}, {}, "nothing is set"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(world, officer, values, options, message):
    with pytest.raises(ThresholdError, match=message):
        setting(world, officer, **options, **values)
    assert world.count("threshold") == 0
    assert world.count("audit", "action = 'threshold.set'") == 0


def test_a_centres_value_that_does_not_go_with_a_cameras_own_is_refused(world, officer):
    setting(world, officer, camera=2, physical_review=0.88)
    with pytest.raises(ThresholdError, match="for camera"):
        setting(world, officer, physical_report=0.85)
    assert world.count("threshold") == 1


@pytest.mark.parametrize("role", list(Role))
def test_only_operators_and_policy_officers_set_thresholds(world, role):
    region = world.row("SELECT region_id FROM region")["region_id"]
    scope = {Role.DIRECTOR: ((world.centre_id,), ()), Role.OPERATOR: ((), ())}.get(role, ((), (region,)))
    person = SqlPeople(world.database).add(NewPerson("somebody", role, Language.KOREAN, *scope), "test", NOON)
    if role in (Role.OPERATOR, Role.POLICY_OFFICER):
        setting(world, person, physical_review=0.85)
        row = world.row("SELECT person_id, actor, detail FROM audit WHERE action = 'threshold.set'")
        assert (row["person_id"], row["actor"]) == (person.id, "somebody")
        detail = json.loads(row["detail"])
        assert (detail["name"], detail["held_before"], detail["holds"]) == ("physical_review", 0.80, 0.85)
    else:
        with pytest.raises(NotAllowedError, match="may not set a threshold"):
            setting(world, person, physical_review=0.85)
        assert world.count("threshold") == world.count("audit", "action = 'threshold.set'") == 0


def test_an_officer_of_another_region_sets_nothing_here(world):
    with world.database.transaction() as cursor:
        cursor.execute("INSERT INTO region (province, district) VALUES ('서울특별시', '강서구')")
        elsewhere = cursor.lastrowid
    person = SqlPeople(world.database).add(
        NewPerson("far away", Role.POLICY_OFFICER, Language.KOREAN, (), (elsewhere,)), "test", NOON
    )
    with pytest.raises(NotAllowedError, match=r"^there is no centre 샛별어린이집: see `uriai centres list`"):
        setting(world, person, physical_review=0.85)


def test_a_centre_out_of_the_officers_scope_is_one_that_there_is_not_by_name_and_number(world, officer, terminal):
    with world.database.transaction() as cursor:
        other = add_centre(cursor, NewCentre("달님어린이집", "서울특별시", "강서구"), NOON)
        add_centre(cursor, NewCentre("샛별어린이집", "서울특별시", "강서구"), NOON)
    said = {}
    for name in ("달님어린이집", "없는어린이집", str(other), "424242"):
        said[name] = str(
            terminal(
                thresholds_command.command, "set", "--centre", name, "--as", "김주무관", "--reason", "x",
                "physical_review=0.88",
            ).exception
        )  # fmt: skip
    assert said["달님어린이집"].replace("달님", "없는") == said["없는어린이집"]
    assert said[str(other)].replace(str(other), "424242") == said["424242"]
    of_that_name = terminal(
        thresholds_command.command, "set", "--centre", "샛별어린이집", "--as", "김주무관", "--reason", "x",
        "physical_review=0.88",
    )  # fmt: skip
    assert of_that_name.exception is None, "of two centres of that name they know of one"
    assert world.row("SELECT centre_id FROM threshold")["centre_id"] == world.centre_id


def test_a_threshold_set_while_a_clip_of_its_camera_is_filed_waits_and_deadlocks_nothing(world, officer):
    def deadlocks():
        return int(world.row("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")["Value"])

    before, beside, failed = deadlocks(), world.beside(), []
    with world.database.transaction() as cursor:
        centre = read_centre(cursor, world.centre_id)
    camera = world.outside.transactions.run(
        lambda rows: rows.gateways.camera(rows.gateways.find(GATEWAY), 1, NOON)
    )  # fmt: skip

    def set_it():
        change = Change(centre, camera, {"physical_review": 0.88}, None, officer, "noisy")
        try:
            set_thresholds(change, beside.outside.transactions, StoppedClock(NOON))
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failed.append(error)

    thread = threading.Thread(target=set_it)
    with world.database.transaction() as cursor:
        rows = repositories(cursor)
        rows.gateways.lock_camera(camera.id)
        thread.start()
        deadline = time.monotonic() + 10
        watching = Database(world.connect)
        while time.monotonic() < deadline:
            with watching.transaction() as other:
                other.execute("SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'")
                if other.fetchone()["n"]:
                    break
            time.sleep(0.2)  # the server shows the same for a tenth of a second after each look
        else:
            pytest.fail("the change waited for nothing")
        watching.close()
        assert rows.incidents.next_number(centre.id) == 1, "whoever files goes on to the centre's row"
    thread.join(20)
    beside.database.close()
    assert (failed, deadlocks()) == ([], before)
    assert world.count("threshold") == 1


def footprint(world):
    """Every row of everything that a replay must not touch."""
    tables = ("analysis", "finding", "incident", "incident_finding", "evidence", "audit", "threshold", "clip", "outbox")
    return {table: sorted(map(repr, world.rows(f"SELECT * FROM {table}"))) for table in tables}


def replayed(world, since=NOON - HOUR, until=NOON + 3 * HOUR, **values):
    cameras = world.rows("SELECT camera_id, centre_id FROM camera ORDER BY camera_id")
    replay = Replay([ReplayedCamera(**row) for row in cameras], since, until, values)
    answers = list(replay_rules(replay, world.outside.transactions))
    return sum(clips for _, clips, _ in answers), [one for _, _, differences in answers for one in differences]


@pytest.fixture
def stored_day(world, officer):
    """A doubtful scene, a clear one, one that a stricter centre let pass, and neglect over an hour's edge."""
    setting(world, officer, camera=2, physical_review=0.88)
    violent_at(world, NOON, 1)
    violent_at(world, NOON + HOUR, 2, windows=VIOLENT)
    violent_at(world, NOON + HOUR, 3, camera=2)
    for n, scene in enumerate((watched(10), watched(10, sad_at=[5.0]), watched(10))):
        started_at = NOON + HOUR * 2 + timedelta(seconds=10 * n - 15)
        world.analyse(world.place(film(scene, str(n)), started_at=started_at, seq=10 + n, camera=3))
    return world


def test_judged_again_by_what_was_in_force_nothing_differs(stored_day):
    assert stored_day.count("finding") == 5
    assert replayed(stored_day) == (6, [])
    assert replayed(stored_day, since=NOON + HOUR * 2) == (1, []), "what lies before the range is a neighbour still"


@pytest.mark.parametrize(
    ("values", "effects"),
    [
        ({"physical_review": 0.86}, [("gone", "physical")]),
        ({"physical_review": 0.82}, [("new", "physical")]),
        ({"physical_report": 0.98}, [("changed", "physical")]),
        ({"physical_exit": 0.05}, [("changed", "physical"), ("changed", "physical")]),
        ({"neglect_least_s": 30}, [("gone", "neglect")] * 3),
        ({"neglect_distress": 0.85}, [("gone", "neglect")] * 3),
        ({"emotional_adult": 0.3}, []),
    ],
)
def test_a_change_shows_what_it_would_have_done_and_does_not_do_it(stored_day, values, effects):
    before = footprint(stored_day)
    _, differences = replayed(stored_day, **values)
    found = [(d.effect.value, (d.after or d.before).kind.value) for d in differences]
    assert found == effects
    assert all((d.before is None) == (d.effect is Effect.NEW) for d in differences)
    assert footprint(stored_day) == before


def test_values_that_do_not_go_together_are_no_replay(stored_day):
    with pytest.raises(ValueError, match="have to rise"):
        replayed(stored_day, physical_review=0.95)


@pytest.fixture
def terminal(world, monkeypatch):
    """Runs commands on this test's database."""
    from contextlib import contextmanager

    @contextmanager
    def database():
        yield world.database

    for module in (thresholds_command, replay_command):
        monkeypatch.setattr(module, "cloud_database", database)

    def run(command, *arguments):
        return CliRunner().invoke(command, arguments, standalone_mode=False)

    return run


def test_on_the_command_line_from_setting_to_listing(world, officer, terminal):
    done = terminal(
        thresholds_command.command, "set", "--centre", "샛별어린이집", "--camera", "2", "physical_review=0.88",
        "--from", "2999-01-01T09:00", "--as", "김주무관", "--reason", "a noisy room", "--json",
    )  # fmt: skip
    assert done.exception is None
    assert json.loads(done.output)["physical_review"] == 0.88
    listed = terminal(thresholds_command.command, "list", "--history", "--json")
    centre, camera = map(json.loads, listed.output.splitlines())
    assert (centre["camera"], camera["camera"]) == (None, 2)
    assert camera["thresholds"]["physical_review"] == 0.80, "not yet in force"
    assert camera["history"] == [
        {"name": "physical_review", "value": 0.88, "from": "2999-01-01T09:00:00+09:00", "to": None}
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--camera", "9", "physical_review=0.88"), "has no camera 9"),
        (("physical_review",), "is not NAME=VALUE"),
        (("physical_review=high",), "'high' is no number"),
        (("physical_review=0.88", "--from", "tomorrow"), "is no instant in ISO 8601"),
        (("physical_review=0.88", "--from", "2001-01-01"), "is past"),
    ],
)
def test_wrong_usage_is_said_in_one_sentence(world, officer, terminal, arguments, message):
    done = terminal(
        thresholds_command.command, "set", "--centre", "샛별어린이집", "--as", "김주무관", "--reason", "x", *arguments
    )
    assert message in str(done.exception)
    assert world.count("threshold") == 0


def test_on_the_command_line_a_replay_ends_with_its_counts(stored_day, terminal):
    done = terminal(
        replay_command.command, "--since", "2026-11-22T00:00", "--centre", "샛별어린이집", "--set",
        "physical_review=0.86", "--json",
    )  # fmt: skip
    assert done.exception is None
    difference, total = map(json.loads, done.output.splitlines())
    assert (difference["effect"], difference["camera"], difference["after"]) == ("gone", 1, None)
    assert difference["before"]["started_at"] == "2026-11-22T12:00:02.000+09:00"
    assert total == {"clips": 6, "new": 0, "gone": 1, "changed": 0}
