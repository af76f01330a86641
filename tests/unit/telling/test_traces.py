"""What X-Ray is told of a sending: the tracer is on, and its segments are read as the daemon would get them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import importlib.util, json, sys
from aws_xray_sdk.core import xray_recorder
sent = []
class Emitter:
    def send_entity(self, entity):
        sent.append(entity.serialize())
xray_recorder.configure(emitter=Emitter(), sampling=False)
spec = importlib.util.spec_from_file_location("notify", sys.argv[1])
app = importlib.util.module_from_spec(spec)
spec.loader.exec_module(app)
from tests.integration.pipeline.handlers import Context, message
from tests.unit.telling.fakes import ReceiptsInMemory, a_message
from tests.unit.telling.platforms import TELEGRAM_TOKEN, platforms
from uriai.adapters.messaging.envelope import pack
from uriai.adapters.messaging.messengers import Messengers
from uriai.domain.telling import Medium
from uriai.service.deliver_message import Post
from uriai.service.ports.clock import SystemClock
with platforms() as world:
    class Quoting:
        def send(self, message):
            raise RuntimeError(f"Invalid header value 'Bearer {TELEGRAM_TOKEN}'")
    for messenger in (Messengers(world.secret, "", local=True).of(Medium.TELEGRAM), Quoting()):
        app.post = lambda: Post(lambda medium: messenger, ReceiptsInMemory(), SystemClock())
        app.handler(message(body=pack(a_message(Medium.TELEGRAM))), Context())
    assert [call.path for call in world.calls] == [f"/bot{TELEGRAM_TOKEN}/sendMessage"]
print(json.dumps(["\\n".join(sent), TELEGRAM_TOKEN]))
"""


def test_no_trace_holds_a_token_whether_a_message_is_sent_or_a_library_quotes_it():
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LAMBDA_TASK_ROOT": "/var/task", "LANG": "C.UTF-8",
        "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        "POWERTOOLS_METRICS_NAMESPACE": "UriAI", "POWERTOOLS_SERVICE_NAME": "notify", "AWS_DEFAULT_REGION": "x",
    }  # fmt: skip
    app = ROOT / "functions" / "notify" / "app.py"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(app)], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    traces, token = json.loads(done.stdout.splitlines()[-1])
    assert traces.count('"## notify.send_message"') == 2, "both were traced"
    assert token not in traces
    assert token not in done.stdout.replace(done.stdout.splitlines()[-1], "") + done.stderr, "nor any line of the log"
