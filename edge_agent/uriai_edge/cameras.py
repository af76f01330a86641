"""The threads of a gateway's cameras: started, ended, and restarted one by one when the configuration changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from uriai_edge.camera import CameraState, CameraStatus, CameraThread
from uriai_edge.config import Camera, Config, ConfigError
from uriai_edge.coverage import CoverageKeeper
from uriai_edge.logs import tell
from uriai_edge.spool import Spool

log = logging.getLogger(__name__)

_JOIN_S = 15.0


@dataclass(frozen=True, slots=True)
class _Running:
    thread: CameraThread
    stop: threading.Event
    settings: tuple[object, ...]  # everything of the configuration that the thread uses


class Cameras:
    """All camera threads. One thread changes them, any may ask how they are."""

    def __init__(self, config: Config, spool: Spool, coverage: CoverageKeeper) -> None:
        """Prepare; `start` begins."""
        self._config = config
        self._spool = spool
        self._coverage = coverage
        self._running: dict[int, _Running] = {}

    def start(self) -> None:
        """Start all of them."""
        for camera in self._config.cameras:
            self._start(camera)

    def change(self, config: Config) -> list[int]:
        """Go over to ``config``: start, end and restart what differs, leave the others alone.

        Returns
        -------
        list of int
            The cameras that were started, ended or restarted.
        """
        self._config = config
        wanted = {camera.number: camera for camera in config.cameras}
        gone = [number for number in self._running if number not in wanted]
        changed = [
            number
            for number, camera in wanted.items()
            if number not in self._running or self._running[number].settings != _settings(config, camera)
        ]
        self._end([number for number in [*gone, *changed] if number in self._running])
        for number in gone:
            self._running.pop(number)
            self._coverage.forget(number)
        for number in changed:
            self._start(wanted[number])
        return sorted([*gone, *changed])

    def end(self) -> None:
        """End all of them: open clips are closed."""
        self._end(list(self._running))

    def tick(self) -> None:
        """Call this every second or so: tells of cameras that are silent."""
        for one in self._running.values():
            one.thread.tick()

    @property
    def alive(self) -> bool:
        """Whether one of them is still at work."""
        return any(one.thread.is_alive() for one in self._running.values())

    @property
    def statuses(self) -> tuple[CameraStatus, ...]:
        """How each of them is, by number."""
        return tuple(one.thread.status for _, one in sorted(self._running.copy().items(), key=lambda pair: pair[0]))

    @property
    def failed(self) -> list[int]:
        """Numbers of those that gave up for good."""
        return [one.number for one in self.statuses if one.state is CameraState.FAILED]

    def _start(self, camera: Camera) -> None:
        self._coverage.watch(camera.number)
        stop = threading.Event()
        thread = CameraThread(self._config, camera, self._spool, self._coverage, stop)
        self._running[camera.number] = _Running(thread, stop, _settings(self._config, camera))
        thread.start()

    def _end(self, numbers: Iterable[int]) -> None:
        ending = [(number, self._running[number]) for number in numbers]
        for _, one in ending:
            one.stop.set()
        deadline_s = time.monotonic() + _JOIN_S
        for number, one in ending:
            one.thread.join(max(0.0, deadline_s - time.monotonic()))
            if one.thread.is_alive():
                tell(log, "error", "a camera does not end in time", camera=number)


def _settings(config: Config, camera: Camera) -> tuple[object, ...]:
    try:
        address: str = camera.address()  # with what password_file holds now
    except ConfigError as error:
        address = str(error)
    return (camera, address, config.motion_of(camera), config.clips_of(camera), config.spool, config.tamper)
