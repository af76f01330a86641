"""Takes whole existing MP4 files as clips, on the same way as the camera's: spool, signature, upload."""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from uriai_edge.config import Config
from uriai_edge.keys import load_key
from uriai_edge.mp4 import Mp4Error, read_facts
from uriai_edge.register import Record
from uriai_edge.spool import Spool


class SubmitError(Exception):
    """A file that cannot become a clip; the message names it and why."""


def submit_clip(
    path: Path, config: Config, camera: int, started_at: datetime | None = None, *, check: bool = True
) -> Record:
    """Spool the file at ``path``, its bytes unchanged, as one clip of ``camera``; a running agent or `uriai-edge
    submit` uploads it.

    Parameters
    ----------
    path
        The MP4.
    config
        Names gateway, key and spool.
    camera
        Number of one of the configuration's cameras.
    started_at
        The aware instant of its first picture; default: such that it ends now.
    check
        Refuse what is no MP4 of at most the configured length. Without it any bytes are taken, for trying how the cloud
        treats them.

    Raises
    ------
    SubmitError
        If the file or the camera is refused.
    KeyFileError, SpoolError, OSError
        If key or spool cannot be used.
    """
    with Spool(config.spool.dir, config.gateway, load_key(config.key_file)) as spool:
        return submit_to(spool, path, config, camera, started_at, check=check)


def submit_to(
    spool: Spool, path: Path, config: Config, camera: int, started_at: datetime | None = None, *, check: bool = True
) -> Record:
    """Like `submit_clip`, into an open spool."""
    chosen = next((one for one in config.cameras if one.number == camera), None)
    if chosen is None:
        known = ", ".join(str(one.number) for one in config.cameras)
        raise SubmitError(f"camera {camera}: not in the configuration, which has {known}")
    if not path.is_file():
        raise SubmitError(f"{path}: there is no such file")
    duration_s = _duration_s(path, config.clips_of(chosen).max_clip_s, check=check)
    started_at = started_at or datetime.fromtimestamp(time.time() - duration_s, UTC)
    if started_at.tzinfo is None:
        raise SubmitError("started_at: needs an offset from UTC, as in 2026-11-22T09:30:00+09:00")
    if not spool.make_room(path.stat().st_size, config.spool.max_bytes, config.spool.min_free_bytes):
        raise SubmitError(
            f"{path}: the spool has no room; uploaded clips are removed by themselves, so uploads must hang"
        )
    recording = spool.open_clip(camera, started_at, time.monotonic(), {"submitted": True})
    try:
        with path.open("rb") as source, recording.path.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
    except OSError:
        spool.forget_clip(recording)
        raise
    return spool.close_clip(recording, duration_s)


def _duration_s(path: Path, longest_s: float, *, check: bool) -> float:
    try:
        facts = read_facts(path)
    except Mp4Error as error:
        if check:
            raise SubmitError(str(error)) from error
        return 0.0
    if check and facts.pictures == 0:
        raise SubmitError(f"{path}: holds no pictures")
    if check and facts.duration_s > longest_s + 0.5:
        raise SubmitError(
            f"{path}: lasts {facts.duration_s:.1f} s, and a clip at most {longest_s:g} s; use `replay` to cut it"
        )
    return facts.duration_s
