"""Slack, Telegram and Kakao on this machine, by their documented contracts: the real ones are on the internet."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SLACK_TOKEN = "xoxb-secret"
TELEGRAM_TOKEN = "12345:secret"
KAKAO = {"bot_id": "667e5382f2b2f84cb555091c", "rest_api_key": "kakao-secret"}


@dataclass
class Call:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    fields: dict[str, object]


@dataclass
class Platforms:
    """``trouble`` holds the next answers, (status, headers, object), that come instead of the right one."""

    url: str
    calls: list[Call] = field(default_factory=list)
    trouble: deque = field(default_factory=deque)
    delay_s: float = 0.0

    def secret(self) -> dict[str, dict[str, str]]:
        """What the secret of messengers has to hold for them."""
        return {
            "slack": {"token": SLACK_TOKEN, "api_url": f"{self.url}/api"},
            "telegram": {"token": TELEGRAM_TOKEN, "api_url": self.url},
            "kakao": KAKAO | {"api_url": self.url},
        }


@contextmanager
def platforms() -> Iterator[Platforms]:
    """The three behind one port of 127.0.0.1."""
    known = Platforms("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            known.calls.append(Call(self.path, dict(self.headers), json.loads(body)))
            status, headers, answer = known.trouble.popleft() if known.trouble else self._right(known.calls[-1])
            if known.delay_s:
                threading.Event().wait(known.delay_s)
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with suppress(ConnectionError):
                # whoever asked may have gone
                self.wfile.write(data)

        def _right(self, call: Call) -> tuple[int, dict[str, str], object]:
            if call.path == "/api/chat.postMessage":
                if call.headers.get("Authorization") != f"Bearer {SLACK_TOKEN}":
                    return 200, {}, {"ok": False, "error": "invalid_auth"}
                return 200, {}, {"ok": True, "channel": call.fields["channel"], "ts": "1503435956.000247"}
            if call.path.endswith("/sendMessage"):
                if call.path != f"/bot{TELEGRAM_TOKEN}/sendMessage":
                    return 401, {}, {"ok": False, "error_code": 401, "description": "Unauthorized"}
                return 200, {}, {"ok": True, "result": {"message_id": 1}}
            if call.path == f"/v2/bots/{KAKAO['bot_id']}/talk":
                if call.headers.get("Authorization") != f"KakaoAK {KAKAO['rest_api_key']}":
                    return 401, {}, {"msg": "unauthorized"}
                return 200, {}, {"taskId": "t1", "status": "SUCCESS", "message": None, "timestamp": 1}
            return 404, {}, {}

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever asked has gone: what they had wanted is theirs to tell."""

    server = Server(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
