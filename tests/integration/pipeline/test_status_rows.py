"""What an operator sees of clips that are not as they should be."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tests.integration.pipeline.staff import everybody
from tests.unit.pipeline.fakes import QUIET, VIOLENT, script
from uriai_cli import status_rows

pytestmark = pytest.mark.integration


@pytest.fixture
def troubled(world):
    """One clip of each sort: good, empty, of an unknown gateway, of an unknown camera, without a manifest."""
    world.analyse(world.place(script(*VIOLENT), seq=1))
    world.analyse(world.place(b"", seq=2))
    world.analyse(world.place(script(*QUIET), seq=3, gateway="stranger"))
    world.analyse(world.place(script(*QUIET), seq=4, camera=9))
    world.analyse(world.place(script(*QUIET), seq=5, signed=False))
    return world


def test_status_counts_every_outcome_and_names_what_failed_or_cannot_be_vouched_for(troubled, connect):
    with connect() as connection:
        rows = status_rows.rows(connection)
    assert (rows["clips"], rows["done"], rows["waiting"]) == (5, 3, 0)
    assert rows["failed"] == {"unknown_gateway": 1, "zero_bytes": 1}
    assert rows["manifests"] == {"verified": 3, "missing": 1}
    assert rows["incidents"] == {"pending_review": 1, "open": 1}
    assert [(camera["gateway"], camera["number"], camera["clips"]) for camera in rows["unregistered_cameras"]] == [
        ("saetbyeol-1", 9, 1)
    ]
    assert all(clip["reason"] and clip["object_key"] for clip in rows["last_failed"] + rows["last_flagged"])
    json.dumps(rows)


def test_status_says_the_same_in_words(troubled, connect, capsys):
    with connect() as connection:
        status_rows.show(status_rows.rows(connection))
    said = capsys.readouterr().out
    for word in ("unknown_gateway 1", "zero_bytes 1", "missing 1", "saetbyeol-1 camera 9", "pending_review 1"):
        assert word in said


def test_status_counts_what_people_were_not_told_yet_and_since_when_it_is_due(world, connect, capsys):
    everybody(world)
    world.set_auto_report(True)
    world.analyse(world.place(script(*VIOLENT)))
    world.rows("UPDATE outbox SET state = 'failed' WHERE medium = 'telegram'")
    world.rows("UPDATE outbox SET due_at = '2026-11-20 01:02:03' WHERE recipient LIKE 'person:%%' LIMIT 1")
    with connect() as connection:
        rows = status_rows.rows(connection)
        status_rows.show(rows)
    assert (rows["outbox"], rows["oldest_untold"]) == ({"failed": 1, "waiting": 2}, "2026-11-20T01:02:03+00:00")
    said = capsys.readouterr().out
    assert "waiting 2   failed 1   the oldest is due since 2026-11-20T01:02:03+00:00" in said
    world.rows("UPDATE outbox SET state = 'delivered'")
    with connect() as connection:
        rows = status_rows.rows(connection)
    assert (rows["outbox"], rows["oldest_untold"]) == ({}, None)


def test_a_database_without_a_row_has_a_status_too(database, connect, capsys):
    with connect() as connection:
        status_rows.show(status_rows.rows(connection))
    assert "incidents: none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["add", "Bad_Name", "--centre", "x", "--key", "0" * 64], "is not 1 to 63 of a-z"),
        (["add", "good-name", "--centre", "x", "--key", "12"], "64 hex digits"),
        (["add", "good-name", "--key", "0" * 64], "--centre"),
    ],
)
def test_a_gateway_of_another_form_is_wrong_usage(arguments, told):
    from uriai_cli.commands.gateways import command

    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert told in result.output
