"""What `uriai ask` sends and how it takes what comes back, over a real socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.integration.chat.conftest import NOW, Country, seoul
from uriai.adapters.chat import api
from uriai.adapters.chat.http import Arrival, Desk
from uriai.domain.words import Role
from uriai_cli.commands.ask import ask
from uriai_cli.errors import CliError

pytestmark = pytest.mark.integration


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    """The chatbot behind a web server of this test."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            import json

            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = api.ask(desk, self.headers["Authorization"], body, Arrival())
            self.send_response(reply.status if self.path == "/live/v1/ask" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(reply.body).encode())

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/live/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_question_is_answered_at_the_instant_and_in_the_language_asked_for(country: Country, address: str) -> None:
    given = country.person("김샛별", Role.DIRECTOR, centres=("샛별어린이집",))
    country.incident("샛별어린이집", 3, 12, seoul(10, 14))
    answer = ask(address, given.token, "어제", lang="en", now=seoul(11, 9))
    assert [one["number"] for one in answer["incidents"]] == [12]
    assert "Suspected incidents: 1" in answer["reply"]
    assert answer["cards"][0]["link"]
    assert ask(address, given.token, "today", now=NOW)["incidents"] == []


def test_a_question_goes_on_with_the_conversation_that_it_names(country: Country, address: str) -> None:
    given = country.person("박주무", Role.POLICY_OFFICER, regions=("경기도 성남시 분당구",))
    country.incident("샛별어린이집", 3, 12, seoul(10, 14))
    country.incident("하늘어린이집", 1, 1, seoul(10, 14))
    ask(address, given.token, "샛별", now=seoul(11, 9), conversation="desk-1")
    goes_on, alone = (
        ask(address, given.token, "어제", now=seoul(11, 9), conversation=name) for name in ("desk-1", None)
    )
    assert [one["number"] for one in goes_on["incidents"]] == [12]
    assert sorted(one["number"] for one in alone["incidents"]) == [1, 12]
    with pytest.raises(CliError, match="conversation has to be 1 to 64 of"):
        ask(address, given.token, "어제", conversation="no spaces")


def test_a_refused_token_and_a_dead_address_are_told_in_a_sentence(address: str) -> None:
    with pytest.raises(CliError, match="refuses this token"):
        ask(address, "wrong", "today")
    with pytest.raises(CliError, match="answered 404"):
        ask(address + "elsewhere", "wrong", "today")
    with pytest.raises(CliError, match="does not answer"):
        ask("http://127.0.0.1:9/", "wrong", "today")
