"""Films made ready for training: another size, another frame rate, sub-clips, and the picture turned."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.tools import film
from models.tools.film import Film, FilmError, Shot
from models.tools.geometry import Image, Rotation, angle_tag
from models.tools.tally import Tally, of_one_name_each

_LEAST_PIECE_S = 0.5
_HOLE_S = 1.0


@dataclass(frozen=True)
class Plan:
    """What to make of each film; None leaves a thing as it is.

    ``width`` and ``height`` in pixels (one alone keeps the shape of the picture), ``fps`` a constant rate, ``from_s``
    to ``to_s`` the part wanted, ``piece_s`` the length of sub-clips that begin every ``stride_s``, ``angles`` in
    degrees (0 is the film itself), on a canvas that is ``expanded`` or kept, corners filled as ``fill`` says.
    """

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    from_s: float = 0.0
    to_s: float | None = None
    piece_s: float | None = None
    stride_s: float | None = None
    angles: tuple[float, ...] = (0.0,)
    expanded: bool = False
    fill: str = "edge"
    crf: int = 20

    def pieces(self, length_s: float) -> list[tuple[float, float]]:
        """Spans of the sub-clips of a film of ``length_s``; a rest under half a second, or half a piece, is none."""
        end_s = length_s if self.to_s is None else min(self.to_s, length_s)
        if self.piece_s is None:
            return [(self.from_s, end_s)] if end_s > self.from_s else []
        stride_s = self.stride_s or self.piece_s
        least_s = max(_LEAST_PIECE_S, self.piece_s / 2)
        spans, number = [], 0
        while self.from_s + number * stride_s + least_s <= end_s + 1e-6:
            start_s = self.from_s + number * stride_s
            spans.append((start_s, min(start_s + self.piece_s, end_s)))
            number += 1
            if spans[-1][1] >= end_s - 1e-6:
                break
        return spans


def prepare(films: Sequence[Path], out: Path, plan: Plan, tally: Tally) -> None:
    """Write what ``plan`` says of each film to ``out``.

    Names say what was done: ``FILM__00003.000s__a010.mp4`` is the sub-clip from 3 s on, turned by 10 degrees. What
    stands before the first ``__`` is the source, which training keeps on one side of every split.
    """
    out.mkdir(parents=True, exist_ok=True)
    for path in of_one_name_each(films, tally):
        try:
            _prepare(path, out, plan, tally)
        except FilmError as error:
            tally.refuse(path, "film cannot be decoded", str(error))


def _prepare(path: Path, out: Path, plan: Plan, tally: Tally) -> None:
    times, stopped = _look(path)
    rate = film.rate_of(times)
    tally.use("films at a variable rate" if rate is None else f"films at {rate:.4g} fps")
    step_s = 1 / rate if rate else float(np.median(np.diff(times))) if len(times) > 1 else 1 / 25
    length_s = float(times[-1]) + step_s
    if stopped:
        tally.stop(path, "film stops mid-way", f"{stopped}; what came before was kept")
    hole_s = film.longest_hole_s(times)
    if hole_s > _HOLE_S:
        tally.change(path, "hole in the recording", f"{hole_s:.1f} s without a frame; the last frame stands still")
    spans = plan.pieces(length_s)
    if not spans:
        tally.skip(path, "shorter than the part wanted", f"{length_s:.2f} s")
        return
    for start_s, end_s in spans:
        for angle in plan.angles:
            tag = f"__{start_s:09.3f}s" if plan.piece_s is not None else ""
            tag += f"__{angle_tag(angle)}" if angle % 360 else ""
            target = out / f"{path.stem}{tag}.mp4"
            if target.resolve() == path.resolve():
                raise FilmError(f"{path} would be written over itself: choose another folder for --out")
            # one pass over the film for each piece keeps no more than one frame in memory
            with Film(path) as source:
                shots = _part(source.shots(), start_s, end_s)
                shots = film.at_rate(shots, plan.fps) if plan.fps else shots
                film.write((_shaped(shot, plan, angle) for shot in shots), target, plan.crf)
            tally.use("clips written")


def _look(path: Path) -> tuple[np.ndarray, str | None]:
    with Film(path) as source:
        times = np.array([shot.t_s for shot in source.shots()])
        return times, source.stopped


def _part(shots: Iterator[Shot], start_s: float, end_s: float) -> Iterator[Shot]:
    """The frames of a span, counted and timed from its start; the one showing when it begins stands for its first."""
    number, before = 0, None
    for shot in shots:
        if shot.t_s >= end_s - 1e-6:
            break
        if shot.t_s < start_s - 1e-6:
            before = shot
            continue
        if number == 0 and before is not None and shot.t_s > start_s + 1e-3:
            yield Shot(0.0, number, before.image)
            number += 1
        yield Shot(max(0.0, shot.t_s - start_s), number, shot.image)
        number += 1
    if number == 0 and before is not None:
        yield Shot(0.0, 0, before.image)


def _shaped(shot: Shot, plan: Plan, angle: float) -> Shot:
    image = resized(shot.image, plan.width, plan.height)
    height, width = image.shape[:2]
    return Shot(shot.t_s, shot.index, Rotation(width, height, angle, plan.expanded).image(image, plan.fill))


def resized(image: Image, width: int | None, height: int | None) -> Image:
    """The picture at another size; one given side keeps the shape, the other is rounded to an even number."""
    rows, columns = image.shape[:2]
    if width is None and height is None:
        return image
    if width is None and height is not None:
        width = max(2, 2 * round(columns * height / rows / 2))
    if height is None and width is not None:
        height = max(2, 2 * round(rows * width / columns / 2))
    shrinking = bool(width and height and width * height < rows * columns)
    way = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (int(width or columns), int(height or rows)), interpolation=way), np.uint8)


def is_sane(fps: float) -> bool:
    """Whether films can have that rate."""
    return math.isfinite(fps) and 1 <= fps <= 240
