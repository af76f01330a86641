"""What is about to be deleted and what arrives meanwhile: nothing new rests on a condemned clip. On a real MariaDB."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.integration.pipeline.test_neglect_clips import APART, SAD, place
from tests.unit.pipeline.fakes import NOON
from uriai.adapters.database.analyses import SqlAnalyses
from uriai.adapters.database.retention import SqlExpiring
from uriai.adapters.database.transactions import SqlTransactions
from uriai.domain.ulid import Ulid
from uriai.service.analyse_clip import State

pytestmark = pytest.mark.integration

LATER = NOON + timedelta(days=61)


def id_of(key: str) -> Ulid:
    return Ulid.parse(key.rpartition("/")[2].removesuffix(".mp4"))


def condemn(world, key):
    beside = world.beside()
    try:
        return SqlExpiring(beside.database).condemn(id_of(key), LATER)
    finally:
        beside.database.close()


def resting_on(world, key) -> int:
    """Findings and pictures of a clip."""
    row = world.row(
        """
        SELECT (SELECT COUNT(*) FROM finding f JOIN analysis a ON a.analysis_id = f.analysis_id
                WHERE a.clip_id = k.clip_id)
            + (SELECT COUNT(*) FROM evidence e WHERE e.clip_id = k.clip_id) AS n
        FROM clip k WHERE k.object_key = %s
        """,
        (key,),
    )
    return int(row["n"])


class Meddling(SqlTransactions):
    """A real unit of work in the middle of which, once, something else happens."""

    def __init__(self, database, name, meanwhile) -> None:
        super().__init__(database)
        self._name, self._meanwhile = name, [meanwhile]

    def run(self, work):
        def meddled(rows):
            return work(replace(rows, analyses=self._wrapped(rows.analyses)))

        return super().run(meddled)

    def _wrapped(self, analyses):
        name, meanwhile = self._name, self._meanwhile

        class Wrapped(SqlAnalyses):
            pass

        def method(one, *args, **options):
            found = getattr(SqlAnalyses, name)(one, *args, **options)
            if meanwhile:
                meanwhile.pop()()
            return found

        setattr(Wrapped, name, method)
        return Wrapped(analyses._cursor)


@pytest.fixture
def three(world):
    """Three clips that are neglect together; the first two are analysed."""
    keys = [place(world, n, scene) for n, scene in enumerate([APART, SAD, APART])]
    for key in keys[:2]:
        world.analyse(key)
    return keys


def test_a_neighbour_whose_deletion_is_decided_has_no_say(world, three):
    first, second, third = three
    assert condemn(world, second) is not None
    assert world.analyse(third).state is State.DONE
    assert [resting_on(world, key) for key in (first, second)] == [0, 0]


def test_a_deletion_that_is_decided_while_neglect_is_being_filed_wins_and_nothing_rests_on_the_clip(world, three):
    first, second, third = three
    decided = []
    beside = world.beside()
    meddling = Meddling(beside.database, "ids_around", lambda: decided.append(condemn(world, second)))
    beside.outside = replace(beside.outside, transactions=meddling)
    assert beside.analyse(third).state is State.DONE
    beside.database.close()
    assert decided[0] is not None
    assert [resting_on(world, key) for key in (first, second)] == [0, 0]


def test_a_deletion_that_comes_after_the_filing_has_begun_waits_and_then_leaves_the_clip_alone(world, three):
    second, third = three[1:]
    decided = []
    thread = threading.Thread(target=lambda: decided.append(condemn(world, second)))
    beside = world.beside()

    def begin():
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "it did not wait for the clip's lock"

    beside.outside = replace(beside.outside, transactions=Meddling(beside.database, "save_done", begin))
    assert beside.analyse(third).findings == 1
    beside.database.close()
    thread.join(20)
    assert decided == [None], "it is evidence of an incident now"
    assert resting_on(world, second) == 6, "a finding, the original and four pictures"


def test_a_clip_that_cannot_be_played_opens_nothing_once_its_deletion_is_decided(world):
    key = world.place(b"no video", signed=False)

    class Meanwhile(type(world.outside.analyser)):
        def observe(self, path):
            with world.database.transaction() as cursor:
                cursor.execute("UPDATE clip SET deletion_at = %s, deletion_reason = 'failed'", (NOON,))
            return super().observe(path)

    slow = world.beside(analyser=Meanwhile())
    outcome = slow.analyse(key)
    slow.database.close()
    assert (outcome.state, outcome.failure.code, outcome.incidents) == (State.FAILED, "object_missing", ())
    assert world.count("incident") == world.count("evidence") == world.count("finding") == 0
