"""``/healthz`` and ``/metrics`` on loopback, from one snapshot of the agent.

The Prometheus text is written here: every value is a number and every label a number or a word of ours, so a library
would add a dependency and save twenty lines.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from uriai_edge.camera import CameraState, CameraStatus
from uriai_edge.register import State
from uriai_edge.upload import UploadCounts

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How the agent is. ``problems`` are what a restart or a person must mend; empty: healthy.

    Ages and offsets are seconds; None where there is nothing to tell yet.
    """

    problems: tuple[str, ...]
    cameras: tuple[CameraStatus, ...]
    packet_ages_s: Mapping[int, float | None]
    records: Mapping[State, int] | None
    clip_bytes: int | None
    free_bytes: int | None
    uploads: UploadCounts
    uploads_stuck: int
    uploads_blocked_by: str | None
    clock_offset_s: float | None


def metrics(snapshot: Snapshot) -> str:
    """The snapshot in Prometheus's text format, version 0.0.4."""
    return "".join(f"{line}\n" for line in _lines(snapshot))


def _lines(now: Snapshot) -> Iterator[str]:
    def gauge(name: str, about: str, values: Mapping[str, float | None], kind: str = "gauge") -> Iterator[str]:
        known = {labels: value for labels, value in values.items() if value is not None}
        if known:
            yield f"# HELP uriai_edge_{name} {about}"
            yield f"# TYPE uriai_edge_{name} {kind}"
            yield from (f"uriai_edge_{name}{labels} {_number(value)}" for labels, value in known.items())

    def of_cameras(value: Callable[[CameraStatus], float | None]) -> dict[str, float | None]:
        return {f'{{camera="{one.number}"}}': value(one) for one in now.cameras}

    yield from gauge("healthy", "1 if nothing needs a restart or a person", {"": float(not now.problems)})
    running = of_cameras(lambda one: float(one.state is CameraState.RUNNING))
    yield from gauge("camera_running", "1 while the camera delivers", running)
    yield from gauge("camera_recording", "1 while a clip is written", of_cameras(lambda one: float(one.recording)))
    yield from gauge("camera_packets_total", "packets", of_cameras(lambda one: one.packets), "counter")
    reconnects = of_cameras(lambda one: one.reconnects)
    yield from gauge("camera_reconnects_total", "times it was opened anew", reconnects, "counter")
    ages = of_cameras(lambda one: now.packet_ages_s.get(one.number))
    yield from gauge("camera_last_packet_age_seconds", "time since the last packet", ages)
    if now.records is not None:
        by_state = {f'{{state="{state.value}"}}': float(count) for state, count in now.records.items()}
        yield from gauge("spool_records", "records by state", by_state)
    yield from gauge("spool_clip_bytes", "what clips take on the disk", {"": now.clip_bytes})
    yield from gauge("spool_free_bytes", "what the disk still takes", {"": now.free_bytes})
    yield from gauge("uploaded_records_total", "records since the start", {"": now.uploads.records}, "counter")
    yield from gauge("uploaded_bytes_total", "bytes of clips and pictures", {"": now.uploads.file_bytes}, "counter")
    yield from gauge("upload_failures_total", "attempts that failed", {"": now.uploads.failures}, "counter")
    replaced = {"": float(now.uploads.replaced)}
    yield from gauge("upload_threads_replaced_total", "threads that hung or died", replaced, "counter")
    yield from gauge("upload_threads_stuck", "replaced threads that still hang", {"": float(now.uploads_stuck)})
    last = now.uploads.last_at.timestamp() if now.uploads.last_at else None
    yield from gauge("last_upload_timestamp_seconds", "Unix time", {"": last})
    yield from gauge("uploads_blocked", "1 while nothing can be uploaded", {"": float(bool(now.uploads_blocked_by))})
    yield from gauge("clock_offset_seconds", "how far S3's clock is ahead", {"": now.clock_offset_s})


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.3f}"


class HealthServer:
    """Answers on 127.0.0.1 until closed."""

    def __init__(self, port: int, snapshot: Callable[[], Snapshot]) -> None:
        """Listen on ``port`` (0: any free one).

        Raises
        ------
        OSError
            If the port is taken.
        """

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                now = snapshot()
                if self.path == "/healthz":
                    body = json.dumps({"healthy": not now.problems, "problems": now.problems}, ensure_ascii=False)
                    self._answer(503 if now.problems else 200, "application/json", body)
                elif self.path == "/metrics":
                    self._answer(200, "text/plain; version=0.0.4; charset=utf-8", metrics(now))
                else:
                    self._answer(404, "text/plain", "/healthz or /metrics\n")

            def _answer(self, status: int, kind: str, body: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:
                log.debug(format, *args)

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
