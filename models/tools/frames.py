"""Still pictures out of films, named so that they sort by time and each can be found again in its film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from models.tools.film import Film, FilmError, Shot
from models.tools.tally import Tally, of_one_name_each


@dataclass(frozen=True)
class Choice:
    """Every ``every_n``-th frame, or one each ``every_s`` seconds, from ``from_s`` up to ``to_s`` (None: the end)."""

    every_n: int | None = None
    every_s: float | None = None
    from_s: float = 0.0
    to_s: float | None = None

    def of(self, shots: Iterator[Shot]) -> Iterator[Shot]:
        """The chosen frames. By seconds: the first frame at or after each instant, none twice where frames are rare."""
        due_s = self.from_s
        number = 0
        for shot in shots:
            if shot.t_s < self.from_s - 1e-6:
                continue
            if self.to_s is not None and shot.t_s >= self.to_s:
                continue  # to the end of the film all the same: it may break on the way
            if self.every_n is not None:
                if number % self.every_n == 0:
                    yield shot
                number += 1
            elif shot.t_s >= due_s - 1e-6:
                yield shot
                step = self.every_s or 1.0
                while due_s <= shot.t_s + 1e-6:
                    due_s += step


def cut(films: Sequence[Path], out: Path, choice: Choice, suffix: str, quality: int, tally: Tally) -> None:
    """Write the chosen frames of each film to ``out``: ``FILM__00012.480s_f0000312.jpg`` (seconds, frame number)."""
    out.mkdir(parents=True, exist_ok=True)
    for path in of_one_name_each(films, tally):
        try:
            with Film(path) as film:
                for shot in choice.of(film.shots()):
                    _write(out / f"{path.stem}__{shot.t_s:09.3f}s_f{shot.index:07d}{suffix}", shot, quality)
                    tally.use("frames")
                if film.stopped:
                    tally.stop(path, "film stops mid-way", f"{film.stopped}; the frames before that were kept")
                else:
                    tally.use("films")
        except FilmError as error:
            tally.refuse(path, "film cannot be decoded", str(error))


def _write(path: Path, shot: Shot, quality: int) -> None:
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix == ".jpg" else []
    ok, packed = cv2.imencode(path.suffix, shot.image, settings)
    if not ok:
        raise FilmError(f"frame {shot.index} cannot be written as {path.suffix}")
    part = path.with_name(path.name + ".part")
    part.write_bytes(packed.tobytes())
    part.replace(path)
