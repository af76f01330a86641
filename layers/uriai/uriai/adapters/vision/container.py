"""What a file is, read from its own boxes before any decoder sees it.

FFmpeg opens pictures, playlists and much else under any name, so a file has to show by its first bytes that it is a
video container. For MP4 the box headers also tell, without decoding, how long it plays, whether it holds a picture
track and whether its end is missing (ISO/IEC 14496-12, sections 4.2 and 8).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from uriai.service.ports.vision import ClipFault, NotAVideo

_MAX_BOXES = 4096
"""A clip of 10 minutes in one-second fragments has 1,200 boxes; a file with more than this is made to waste our time.
"""
_MAX_EDITS = 64
_FIRST_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp"}
_PICTURE_BRANDS = {b"heic", b"heix", b"heif", b"mif1", b"msf1", b"avif", b"avis"}
_OTHER_CONTAINERS = (b"\x1a\x45\xdf\xa3", b"RIFF")
"""Matroska or WebM, and AVI (whose bytes 8 to 12 are then ``AVI ``)."""


@dataclass(frozen=True, slots=True)
class Container:
    """``declared_s`` is the playing time of the picture track as the file states it, None where it does not.

    ``cut`` says that a box reaches beyond the end of the file.
    """

    declared_s: float | None
    cut: bool


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    end: int


def inspect(path: Path) -> Container:
    """Look at the headers of ``path``; reads a few kilobytes whatever its size.

    Raises
    ------
    NotAVideo
        ``zero_bytes``, ``not_a_video``, ``truncated`` (its index is missing) or ``no_video_stream``.
    FileNotFoundError
        If there is no such file.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise NotAVideo(ClipFault.ZERO_BYTES, "the file is empty (0 bytes)")
        head = file.read(16)
        if head[:4] == _OTHER_CONTAINERS[0] or (head[:4] == _OTHER_CONTAINERS[1] and head[8:12] == b"AVI "):
            return Container(None, cut=False)
        if head[4:8] not in _FIRST_BOXES or (head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS):
            raise NotAVideo(
                ClipFault.NOT_A_VIDEO,
                f"the file is no video: it begins with {head[:8].hex(' ')}, which is neither MP4, Matroska nor AVI",
            )
        return _inspect_mp4(file, size)


def _inspect_mp4(file: BinaryIO, size: int) -> Container:
    boxes = list(_boxes(file, 0, size))
    cut = any(box.end > size for box in boxes)
    index = next((box for box in boxes if box.kind == b"moov"), None)
    if index is None or index.end > size:
        raise NotAVideo(
            ClipFault.TRUNCATED,
            f"the MP4 has no complete index (moov) in its {size} bytes: it was cut off before it was finished",
        )
    timescale, declared, tracks = 0, None, 0
    for box in _boxes(file, index.start, index.end):
        if box.kind == b"mvhd":
            timescale = _movie_timescale(file, box)
        elif box.kind == b"trak":
            ticks = _picture_track_ticks(file, box)
            if ticks is not None:
                tracks += 1
                declared = max(declared or 0, ticks)
    if tracks == 0:
        raise NotAVideo(ClipFault.NO_VIDEO_STREAM, "the MP4 holds no picture track, only sound or data")
    return Container(declared / timescale if declared and timescale else None, cut=cut)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[_Box]:
    """The boxes lying between two offsets, each with the offset of its content and of its end."""
    position = start
    for _ in range(_MAX_BOXES):
        if position + 8 > end:
            return
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            return
        length, kind = struct.unpack(">I4s", header[:8])
        content = position + 8
        if length == 1 and len(header) == 16:
            length, content = struct.unpack(">Q", header[8:])[0], position + 16
        elif length == 0:
            length = end - position
        if length < content - position:
            return
        yield _Box(kind, content, position + length)
        position += length
    raise NotAVideo(ClipFault.NOT_A_VIDEO, f"the MP4 has more than {_MAX_BOXES} boxes on one level: no clip has")


def _movie_timescale(file: BinaryIO, box: _Box) -> int:
    """Ticks a second of the movie header."""
    file.seek(box.start)
    content = file.read(32)
    offset = 20 if content[:1] == b"\x01" else 12
    return int.from_bytes(content[offset : offset + 4], "big") if len(content) >= offset + 4 else 0


def _picture_track_ticks(file: BinaryIO, track: _Box) -> int | None:
    """Playing time of a picture track in ticks of the movie; 0 where it is not stated, None for another track.

    Pictures that begin later than the movie have an empty edit before them: it is no playing time of theirs.
    """
    stated, edited, is_picture = 0, None, False
    for box in _boxes(file, track.start, track.end):
        if box.kind == b"tkhd":
            stated = _stated_ticks(file, box)
        elif box.kind == b"edts":
            lists = [_edited_ticks(file, part) for part in _boxes(file, box.start, box.end) if part.kind == b"elst"]
            edited = sum(lists)
        elif box.kind == b"mdia":
            for part in _boxes(file, box.start, box.end):
                if part.kind == b"hdlr":
                    file.seek(part.start)
                    is_picture = is_picture or file.read(12)[8:12] == b"vide"
    return (edited or stated) if is_picture else None


def _stated_ticks(file: BinaryIO, header: _Box) -> int:
    file.seek(header.start)
    content = file.read(40)
    width, offset = (8, 28) if content[:1] == b"\x01" else (4, 20)
    ticks = int.from_bytes(content[offset : offset + width], "big")
    return 0 if ticks == (1 << (8 * width)) - 1 else ticks


def _edited_ticks(file: BinaryIO, edits: _Box) -> int:
    """Sum of the edits that show something of the track."""
    file.seek(edits.start)
    content = file.read(min(edits.end - edits.start, 8 + 20 * _MAX_EDITS))
    entry = struct.Struct(">QqI" if content[:1] == b"\x01" else ">IiI")
    count = min(int.from_bytes(content[4:8], "big"), (len(content) - 8) // entry.size)
    entries = (entry.unpack_from(content, 8 + number * entry.size) for number in range(count))
    return sum(ticks for ticks, from_tick, _ in entries if from_tick >= 0)
