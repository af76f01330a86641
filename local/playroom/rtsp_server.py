"""A camera on the loopback: serves one H.264 MP4 by RTSP, without re-encoding, in real time.

Run by the system's python3 (Debian: python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-base, -good, -bad);
imports nothing of this project. Each viewer sees the film from its first frame; when it is over the stream ends, as
when a camera is switched off, or begins again with --loop, its time stamps running on.
"""

import argparse
import signal
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtspServer  # noqa: E402

Sample = tuple[bytes, int, bool]
"""One access unit, its duration in nanoseconds, whether it is a key frame."""

_CAPS = "video/x-h264,stream-format=byte-stream,alignment=au"


class UnreadableFilmError(Exception):
    """The file holds no H.264 film that GStreamer can read."""


def read_film(path: Path) -> list[Sample]:
    """All access units of the film's H.264 track, in order. A film without B-frames is expected."""
    pipeline = Gst.parse_launch(
        "filesrc name=file ! qtdemux ! h264parse config-interval=-1 "
        f"! {_CAPS} ! appsink name=out sync=false max-buffers=0"
    )
    pipeline.get_by_name("file").set_property("location", str(path))
    sink = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    bus = pipeline.get_bus()
    samples: list[Sample] = []
    try:
        while not sink.get_property("eos"):
            sample = sink.emit("try-pull-sample", Gst.SECOND // 5)
            if sample is not None:
                buffer = sample.get_buffer()
                key = not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
                samples.append((buffer.extract_dup(0, buffer.get_size()), buffer.duration, key))
            elif bus.pop_filtered(Gst.MessageType.ERROR) is not None:
                break
    finally:
        pipeline.set_state(Gst.State.NULL)
    if not samples or not samples[0][2]:
        raise UnreadableFilmError(f"{path} holds no H.264 film that starts with a key frame")
    return samples


class Viewing:
    """Feeds one viewer's pipeline with the film."""

    def __init__(self, samples: list[Sample], loop: bool) -> None:
        self._samples, self._loop, self._next, self._time = samples, loop, 0, 0

    def feed(self, source: "GstApp.AppSrc", _wanted: int) -> None:
        """Give the next access unit, or the end."""
        if self._next == len(self._samples):
            if not self._loop:
                source.emit("end-of-stream")
                return
            self._next = 0
        data, duration, key = self._samples[self._next]
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.pts = buffer.dts = self._time
        buffer.duration = duration
        if not key:
            buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
        self._time += duration
        self._next += 1
        source.emit("push-buffer", buffer)


def serve(film: Path, port: int, mount: str, *, loop: bool, tied: bool) -> int:
    """Serve until SIGTERM or SIGINT, or when ``tied`` until stdin closes; print the address once the port is open."""
    samples = read_film(film)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( appsrc name=film format=time block=false max-bytes=400000 caps={_CAPS} "
        "! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
    )

    def configure(_factory: GstRtspServer.RTSPMediaFactory, media: GstRtspServer.RTSPMedia) -> None:
        viewing = Viewing(samples, loop)
        media.get_element().get_by_name("film").connect("need-data", viewing.feed)

    factory.connect("media-configure", configure)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(port))
    server.get_mount_points().add_factory(mount, factory)
    if server.attach(None) == 0:
        print(f"port {port} of 127.0.0.1 is taken: choose another", file=sys.stderr)
        return 1
    main_loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, main_loop.quit)
    if tied:  # whoever started this server has died, however suddenly
        GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_HIGH, GLib.IOCondition.HUP, lambda *_: main_loop.quit())
    print(f"rtsp://127.0.0.1:{server.get_bound_port()}{mount}", flush=True)
    main_loop.run()
    return 0


def main() -> int:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="Serve an H.264 MP4 as a camera by RTSP on 127.0.0.1.")
    parser.add_argument("film", type=Path)
    parser.add_argument("--port", type=int, required=True, help="0: any free port")
    parser.add_argument("--mount", default="/camera1")
    parser.add_argument("--loop", action="store_true", help="begin again at the end")
    parser.add_argument("--tied", action="store_true", help="end when standard input closes")
    arguments = parser.parse_args()
    Gst.init(None)
    try:
        return serve(arguments.film, arguments.port, arguments.mount, loop=arguments.loop, tied=arguments.tied)
    except (UnreadableFilmError, GLib.Error) as error:
        print(f"cannot serve {arguments.film}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
