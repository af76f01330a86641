"""The film as an RTSP camera: a small server in a process of its own, run by the system's python3."""

import queue
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

SYSTEM_PYTHON = Path("/usr/bin/python3")
APT_PACKAGES = (
    "python3-gi",
    "gir1.2-gst-rtsp-server-1.0",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
)
"""What ``apt-get install --no-install-recommends`` needs for the RTSP camera on Debian and Ubuntu."""

_SCRIPT = Path(__file__).with_name("rtsp_server.py")
_PROBE = """
import sys, gi
for name in ("Gst", "GstApp", "GstRtspServer"):
    gi.require_version(name, "1.0")
from gi.repository import Gst, GstApp, GstRtspServer
Gst.init(None)
needed = ("appsrc", "appsink", "qtdemux", "h264parse", "rtph264pay")
sys.exit(not all(Gst.ElementFactory.find(name) for name in needed))
"""


class RtspServerError(RuntimeError):
    """The RTSP camera did not come up; the message holds what it said."""


def gstreamer_available() -> bool:
    """Whether the system's python3 can serve RTSP (else use the film as a file)."""
    if not SYSTEM_PYTHON.exists():
        return False
    try:
        probe = subprocess.run([SYSTEM_PYTHON, "-c", _PROBE], capture_output=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0


class RtspServer:
    """Serves ``path`` (H.264 MP4) while the context lasts; each viewer starts at the first frame.

    >>> with RtspServer("film.mp4", 8554) as camera:  # doctest: +SKIP
    ...     camera.url
    'rtsp://127.0.0.1:8554/camera1'

    ``port`` 0 takes any free port. Entering waits until the port answers and raises RtspServerError, with the server's
    own words, when that does not happen within ``wait_s``.
    """

    def __init__(
        self, path: Path | str, port: int = 0, mount: str = "/camera1", *, loop: bool = False, wait_s: float = 15.0
    ) -> None:
        self._command = [str(SYSTEM_PYTHON), str(_SCRIPT), str(path), "--port", str(port), "--mount", mount, "--tied"]
        if loop:
            self._command.append("--loop")
        self._wait_s = wait_s
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    @property
    def pid(self) -> int | None:
        """Process id of the running server."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._process = process
        said: queue.Queue[str] = queue.Queue()
        if process.stdout is not None:
            out = process.stdout
            threading.Thread(target=lambda: said.put(out.readline().strip()), daemon=True).start()
        try:
            self.url = said.get(timeout=self._wait_s)
        except queue.Empty:
            self.url = ""
        if not self.url:
            self._end()
            words = process.stderr.read().strip() if process.stderr else ""
            raise RtspServerError(f"the RTSP camera did not start: {words or 'no answer'}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        if self._process:
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                if pipe:
                    pipe.close()
        self._process = None

    def wait(self) -> int:
        """Wait until the server ends by itself or by a signal; its exit status."""
        return self._process.wait() if self._process else 0

    def _end(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def serve_rtsp(path: Path | str, port: int, mount: str = "/camera1", loop: bool = False) -> RtspServer:
    """An RTSP camera for ``path``, to be used in a ``with`` statement."""
    return RtspServer(path, port, mount, loop=loop)
