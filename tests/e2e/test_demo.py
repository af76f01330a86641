"""The main job, as a new user starts it."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request

import pytest

from tests.e2e.gateway import PROGRAMS
from uriai_cloud.state import CloudState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def demo(cloud: CloudState) -> dict:
    done = subprocess.run([PROGRAMS / "uriai", "demo", "--json"], capture_output=True, text=True, check=False)
    print(done.stderr)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_rendered_assault_becomes_a_physical_incident_with_a_key_frame_in_s3(demo: dict, cloud: CloudState) -> None:
    incident = demo["incident"]
    assert incident["kind"] == "physical"
    assert incident["verdict"] in {"review", "report"}
    picture = cloud.client("s3").get_object(Bucket=cloud.clips_bucket, Key=incident["key_frame"])["Body"].read()
    assert picture[:2] == b"\xff\xd8"


def test_the_chatbot_names_the_incident_in_both_languages(demo: dict) -> None:
    number = str(demo["incident"]["number"])
    assert number in demo["answers"]["ko"]
    assert "신체학대" in demo["answers"]["ko"]
    assert number in demo["answers"]["en"]
    assert "physical" in demo["answers"]["en"].lower()


def test_the_demo_measures_the_time_from_the_movement_to_the_answer(demo: dict) -> None:
    assert 0 < demo["seconds"]["movement_end_to_chatbot"] < 300


def test_an_answer_with_a_picture_opens_it_once_and_leaves_an_audit_row(demo: dict, cloud: CloudState) -> None:
    number = demo["incident"]["number"]
    done = subprocess.run(
        [PROGRAMS / "uriai", "ask", f"{number}번 사건 자세히", "--as", "demo-director", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    link = next(card["link"] for card in answer["cards"] if card["number"] == number)
    for _ in range(2):
        with urllib.request.urlopen(link) as page:
            assert b'<form method="post">' in page.read(), "looking ahead uses nothing up"
    press = urllib.request.Request(link, data=b"")
    with urllib.request.urlopen(press) as response:
        assert response.read()[:2] == b"\xff\xd8"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(press)
    assert refused.value.code == 404
    with cloud.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) AS n FROM audit WHERE action LIKE 'evidence%%'")
        row = cursor.fetchone()
    assert row is not None
    assert row["n"] >= 1
