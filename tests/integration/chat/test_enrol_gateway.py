"""A gateway enters its own key: the real agent against the deployed route's code over a real database."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from chalice.test import Client
from nacl.signing import SigningKey

from tests.integration.chat.conftest import NOW, SetClock
from tests.integration.chat.test_web import function  # noqa: F401 - a fixture
from uriai.adapters.chat.gateways import EnrolmentDesk
from uriai.adapters.database.centres import NewCentre, add_centre
from uriai.adapters.database.connection import Database
from uriai.adapters.database.gateways import SqlGateways, revoke_gateway
from uriai.adapters.database.invitations import SqlInvitations, invite_gateway
from uriai.adapters.manifest import Ed25519SignatureChecker
from uriai.service.enrol_gateway import MOST_OF_ONE, TOKEN_LASTS, WINDOW, message_of, new_invitation
from uriai_edge.enrol import EnrolError, enrol

pytestmark = pytest.mark.integration

KEY = SigningKey(b"k" * 32)
OTHER = SigningKey(b"o" * 32)


@dataclass
class Cloud:
    database: Database
    clock: SetClock
    client: Client
    centre: int

    def invite(self, gateway: str) -> str:
        token, token_hash = new_invitation()
        at = self.clock.at
        self.database.run(lambda cursor: invite_gateway(cursor, gateway, self.centre, token_hash, at, at + TOKEN_LASTS))
        return token

    def ask(self, gateway: str, token: str, key: SigningKey = KEY, **changes: Any) -> int:
        body = {
            "gateway": gateway,
            "token": token,
            "public_key": key.verify_key.encode().hex(),
            "signature": key.sign(message_of(gateway, token)).signature.hex(),
        }
        return self.post(json.dumps(body | changes).encode())[0]

    def post(self, body: bytes) -> tuple[int, bytes]:
        answer = self.client.http.post("/v1/gateways/enrol", headers={"Content-Type": "application/json"}, body=body)
        return answer.status_code, answer.body

    def keys(self, gateway: str) -> tuple[bytes, ...]:
        found = self.database.run(lambda cursor: SqlGateways(cursor).find(gateway))
        return () if found is None else found.keys_good_at(self.clock.at)


@pytest.fixture
def cloud(function: ModuleType, database: Database) -> Iterator[Cloud]:  # noqa: F811
    clock = SetClock()
    centre = database.run(lambda cursor: add_centre(cursor, NewCentre("샛별", "경기도", "수원시", "망포동"), NOW))
    desk = EnrolmentDesk(SqlInvitations(database), Ed25519SignatureChecker(), clock)

    def nobody() -> Any:
        raise AssertionError("enrolment needs no desk of the chatbot")

    with Client(function.create_app(nobody, lambda: desk)) as client:
        yield Cloud(database, clock, client, centre)


def test_a_token_lets_its_gateway_enter_one_key_once(cloud: Cloud) -> None:
    token = cloud.invite("gw-1")
    assert cloud.keys("gw-1") == (), "an invitation alone is no key"
    assert cloud.ask("gw-1", token) == 200
    assert cloud.keys("gw-1") == (KEY.verify_key.encode(),)
    assert cloud.ask("gw-1", token) == 200, "the same again, as after a lost answer"
    assert cloud.ask("gw-1", token, OTHER) == 401
    assert cloud.keys("gw-1") == (KEY.verify_key.encode(),)


@pytest.mark.parametrize("wrong", ["token", "gateway", "expired", "older", "proof", "revoked"])
def test_whatever_is_not_good_enters_nothing_and_is_told_nothing(cloud: Cloud, wrong: str) -> None:
    cloud.invite("gw-2")
    token = cloud.invite("gw-1")
    asked: Callable[[], int] = lambda: cloud.ask("gw-1", token)  # noqa: E731
    if wrong == "token":
        asked = lambda: cloud.ask("gw-1", token[:-1] + "_")  # noqa: E731
    elif wrong == "gateway":
        asked = lambda: cloud.ask("gw-2", token)  # noqa: E731
    elif wrong == "expired":
        cloud.clock.at += TOKEN_LASTS
    elif wrong == "older":
        cloud.invite("gw-1")
    elif wrong == "proof":
        asked = lambda: cloud.ask("gw-1", token, public_key=OTHER.verify_key.encode().hex())  # noqa: E731
    elif wrong == "revoked":
        cloud.database.run(lambda cursor: revoke_gateway(cursor, "gw-1", None, cloud.clock.at))
    assert asked() == 401
    assert cloud.keys("gw-1") == cloud.keys("gw-2") == ()


def test_a_revoked_key_stays_revoked(cloud: Cloud) -> None:
    assert cloud.ask("gw-1", cloud.invite("gw-1")) == 200
    cloud.database.run(lambda cursor: revoke_gateway(cursor, "gw-1", None, cloud.clock.at))
    token = cloud.invite("gw-1")
    assert cloud.ask("gw-1", token) == 409
    assert cloud.keys("gw-1") == ()
    assert cloud.ask("gw-1", token, OTHER) == 200
    assert cloud.keys("gw-1") == (OTHER.verify_key.encode(),)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"gateway":"../x","token":"t"}', b'{"gateway":"g","token":1}', b"\xff" * 10]
)
def test_what_is_no_enrolment_is_refused_in_words(cloud: Cloud, body: bytes) -> None:
    assert cloud.post(body)[0] == 400


def test_who_tries_tokens_has_to_wait(cloud: Cloud) -> None:
    token = cloud.invite("gw-1")
    for number in range(MOST_OF_ONE):
        assert cloud.ask("gw-1", f"guess {number}") == 401
    assert cloud.ask("gw-1", token) == 429
    cloud.clock.at += WINDOW + timedelta(minutes=1)
    assert cloud.ask("gw-1", token) == 200


def test_the_database_keeps_no_token_and_an_audit_row(cloud: Cloud) -> None:
    token = cloud.invite("gw-1")
    cloud.ask("gw-1", token)
    with cloud.database.transaction() as cursor:
        cursor.execute("SELECT * FROM gateway_invitation")
        assert token.encode() not in repr(cursor.fetchall()).encode()
        cursor.execute("SELECT action, actor FROM audit ORDER BY audit_id")
        rows = [(row["action"], row["actor"]) for row in cursor.fetchall()]
    assert rows == [("gateway.invited", "operator"), ("gateway.enrolled", "gateway gw-1")]


@pytest.fixture
def api(cloud: Cloud) -> Iterator[str]:
    """The route behind real HTTP on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = cloud.post(body) if self.path == "/live/v1/gateways/enrol" else (404, b"no")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/live"
    server.shutdown()
    server.server_close()


def test_the_agent_enrols_and_tells_in_words_why_not(cloud: Cloud, api: str, tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(
        f"gateway: gw-1\nkey_file: {tmp_path}/device.key\ncameras: [{{number: 1, source: webcam:0}}]\n"
        f"spool: {{dir: {tmp_path}/spool}}\nupload: {{bucket: clips-test}}\n"
    )
    token = cloud.invite("gw-1")
    done = subprocess.run(
        [sys.executable, "-m", "uriai_edge", "enroll", "--config", config, "--api", api, "--token", "-"],
        input=token + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert cloud.keys("gw-1") == (bytes.fromhex(done.stdout.strip()),)
    assert token not in done.stderr
    for wrong, word in [
        ((api, "gw-1", "nonsense"), "good once"),
        ((api + "/x", "gw-1", token), "answers 404"),
        (("http://cloud.example", "gw-1", token), "must be https"),
        (("http://127.0.0.1:9", "gw-1", token), "check --api"),
    ]:
        with pytest.raises(EnrolError, match=word):
            enrol(*wrong, KEY)
