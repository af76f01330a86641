"""The rows of a country: written by the database's own SQL, the same each time; see `bench.country`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from uriai.adapters.database.connection import Connection

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
"""Half past three in the afternoon in Seoul."""
DISTRICTS, NEIGHBOURHOODS = 70, 25
CENTRES_A_NEIGHBOURHOOD = 20
ROUNDS_OF_INCIDENTS, DAYS_A_ROUND = 25, 29
"""Every camera has 25 incidents, one in each span of 29 days."""
CLIP_DAYS, CLIPS_A_DAY = 9, 12
"""Clips and what was recorded, for the district that is asked about: the other rows would be read by nobody."""


def fill(connection: Connection, districts: int, say: Callable[[str], None]) -> None:
    """Write the country; ``districts`` of 500 centres each."""
    centres = districts * NEIGHBOURHOODS * CENTRES_A_NEIGHBOURHOOD
    with connection.cursor() as cursor:

        def run(what: str, statement: str, *values: object) -> None:
            began = time.monotonic()
            cursor.execute(statement, values)
            connection.commit()
            say(f"{what}: {cursor.rowcount} in {time.monotonic() - began:.1f} s")

        for name in ("foreign_key_checks", "unique_checks"):
            cursor.execute(f"SET SESSION {name} = 0")  # the rows are right by construction
        cursor.execute("CREATE TEMPORARY TABLE digit (d INT PRIMARY KEY)")
        cursor.execute("INSERT INTO digit VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)")
        cursor.execute("CREATE TABLE ordinal (n INT PRIMARY KEY)")
        for power in range(5):  # a temporary table cannot be joined with itself
            cursor.execute(f"CREATE TEMPORARY TABLE digit{power} SELECT d * {10**power} AS d FROM digit")
        run("ordinals", "INSERT INTO ordinal SELECT digit0.d + digit1.d + digit2.d + digit3.d + digit4.d "
            "FROM digit4, digit3, digit2, digit1, digit0 ORDER BY 1")  # fmt: skip
        run("regions", "INSERT INTO region (region_id, province, district, neighbourhood) "
            "SELECT n + 1, '경기도', CONCAT('가상', LPAD(n DIV %s, 2, '0'), '시'), CONCAT(n MOD %s, '동') FROM ordinal "
            "WHERE n < %s", NEIGHBOURHOODS, NEIGHBOURHOODS, districts * NEIGHBOURHOODS)  # fmt: skip
        run(
            "districts",
            "INSERT INTO region (region_id, province, district) "
            "SELECT 1000000 + n, '경기도', CONCAT('가상', LPAD(n, 2, '0'), '시') FROM ordinal WHERE n < %s",
            districts,
        )
        run("centres", "INSERT INTO centre (centre_id, region_id, name, last_incident_number, created_at) "
            "SELECT n + 1, n DIV %s + 1, CONCAT('가람', LPAD(n + 1, 5, '0'), '어린이집'), 1000, %s "
            "FROM ordinal WHERE n < %s",
            CENTRES_A_NEIGHBOURHOOD, NOW, centres)  # fmt: skip
        run(
            "gateways",
            "INSERT INTO gateway (gateway_id, centre_id, created_at) "
            "SELECT CONCAT('gw-', centre_id), centre_id, created_at FROM centre",
        )
        # five or six each: 200,000 for 35,000 centres
        run(
            "cameras",
            "INSERT INTO camera (camera_id, centre_id, gateway_id, number, created_at) "
            "SELECT c.centre_id * 10 + o.n, c.centre_id, CONCAT('gw-', c.centre_id), o.n, c.created_at "
            "FROM centre c JOIN ordinal o ON o.n BETWEEN 1 AND IF(c.centre_id MOD 7 < 5, 6, 5)",
        )
        for one in range(ROUNDS_OF_INCIDENTS):
            since = NOW - timedelta(days=DAYS_A_ROUND * (ROUNDS_OF_INCIDENTS - one))
            run(f"incidents, part {one + 1} of {ROUNDS_OF_INCIDENTS}", _INCIDENTS, one, one, since, since)
        _fill_district(run)
        cursor.execute("DROP TABLE ordinal")
        cursor.execute(
            "ANALYZE TABLE region, centre, camera, gateway, incident, clip, analysis, coverage, camera_watch, "
            "finding, incident_finding, evidence"
        )
        cursor.fetchall()
        connection.commit()


_INCIDENTS = f"""
INSERT INTO incident (incident_id, centre_id, camera_id, number, kind, verdict, status, started_at, ended_at,
    confidence, created_at, updated_at)
SELECT UNHEX(CONCAT(LPAD(HEX(CAST(UNIX_TIMESTAMP(at) * 1000 AS UNSIGNED)), 12, '0'),
        LEFT(MD5(CONCAT(camera_id, at)), 20))),
    centre_id, camera_id, %s * 6 + number, ELT(1 + mixed MOD 4, 'physical', 'emotional', 'neglect', 'tamper'), 'review',
    IF(mixed MOD 4 = 3, ELT(1 + mixed MOD 2, 'open', 'resolved'),
       ELT(1 + mixed MOD 5, 'pending_review', 'dismissed', 'dismissed', 'reported', 'closed')),
    at, at + INTERVAL 8 SECOND, 0.8 + (mixed MOD 200) / 1000, at, at
FROM (
    SELECT m.camera_id, m.centre_id, m.number, CRC32(CONCAT(m.camera_id, '/', %s)) AS mixed,
        %s + INTERVAL CRC32(CONCAT(%s, m.camera_id)) MOD {DAYS_A_ROUND * 86_400} SECOND AS at
    FROM camera m
) AS made ORDER BY at
"""


def _fill_district(run: Callable[..., None]) -> None:
    """Clips, analyses and coverage of the last days in the first district, and its incidents' findings and pictures."""
    last = NEIGHBOURHOODS * CENTRES_A_NEIGHBOURHOOD
    since = (NOW - timedelta(days=CLIP_DAYS)).replace(hour=0, minute=0)
    run("clips", "INSERT INTO clip (clip_id, object_key, gateway_id, camera_id, seq, started_at, ended_at, "
        "received_at, current_state) SELECT UNHEX(MD5(CONCAT(m.camera_id, '-', o.n))), "
        "CONCAT('clips/', m.gateway_id, '/', m.number, '/', o.n, '.mp4'), "
        "m.gateway_id, m.camera_id, o.n * 10 + m.number, %s + INTERVAL o.n * %s + m.camera_id MOD 900 SECOND, "
        "%s + INTERVAL o.n * %s + m.camera_id MOD 900 + 10 SECOND, %s + INTERVAL o.n * %s + 60 SECOND, 'done' "
        "FROM camera m JOIN ordinal o ON o.n < %s WHERE m.centre_id <= %s",
        since, 86_400 // CLIPS_A_DAY, since, 86_400 // CLIPS_A_DAY, since, 86_400 // CLIPS_A_DAY,
        CLIP_DAYS * CLIPS_A_DAY, last)  # fmt: skip
    run(
        "analyses",
        "INSERT INTO analysis (analysis_id, clip_id, model_set, current_of, state, verdict, models, analysed_at) "
        "SELECT clip_id, clip_id, REPEAT(' ', 32), clip_id, 'done', 'clear', '{}', received_at FROM clip",
    )
    # what an incident's picture hangs on; which clip it is of is not asked
    run("findings", "INSERT INTO finding (finding_id, analysis_id, camera_id, kind, start_ms, end_ms, started_at, "
        "ended_at, confidence, verdict, thresholds, basis) SELECT incident_id, incident_id, camera_id, kind, 0, 8000, "
        "started_at, ended_at, confidence, 'review', '{}', '{}' FROM incident WHERE centre_id <= %s", last)  # fmt: skip
    run("their incidents", "INSERT INTO incident_finding SELECT finding_id, finding_id FROM finding")
    run("pictures", "INSERT INTO evidence (evidence_id, finding_id, clip_id, role, object_key, sha256, shown_at, "
        "created_at) SELECT finding_id, finding_id, finding_id, 'key_frame_masked', HEX(finding_id), REPEAT(' ', 32), "
        "started_at, started_at FROM finding")  # fmt: skip
    run("coverage", "INSERT INTO coverage (camera_id, started_at, ended_at) "
        "SELECT m.camera_id, %s + INTERVAL o.n DAY, %s + INTERVAL (o.n + 1) * 86400 - 30 SECOND "
        "FROM camera m JOIN ordinal o ON o.n < %s WHERE m.centre_id <= %s", since, since, CLIP_DAYS, last)  # fmt: skip
    run("watched cameras", "INSERT INTO camera_watch (camera_id, expected_from, covered_until, settled_until) "
        "SELECT camera_id, %s, %s, %s FROM camera WHERE centre_id <= %s", since, NOW, NOW, last)  # fmt: skip
    run("heard cameras", "UPDATE camera SET heard_at = %s WHERE centre_id <= %s", since, last)
