"""Commands on films and labelled pictures: they need OpenCV, PyAV and numpy only."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from models.tools import films as films_module
from models.tools import frames as frames_module
from models.tools import geometry, labels
from models.tools.film import SUFFIXES
from models.tools.labels import CLASSES, Rules
from models.tools.tally import Tally, ToolError

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_OUT = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_KIND = click.Choice(["yolo", "voc"])


class Angles(click.ParamType[tuple[float, ...]]):
    """``10:350:10`` or ``-15,0,15``."""

    name = "angles"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Degrees, counter-clockwise."""
        try:
            return value if isinstance(value, tuple) else tuple(geometry.angles(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Size(click.ParamType[tuple[int, int]]):
    """``WIDTHxHEIGHT`` in pixels, both even."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Width and height."""
        if isinstance(value, tuple):
            return value
        parts = str(value).split("x")
        if len(parts) != 2 or not all(p.isdigit() and int(p) and int(p) % 2 == 0 for p in parts):
            self.fail(f"{value!r} has to be WIDTHxHEIGHT, even numbers of pixels, as 320x240", param, ctx)
        return int(parts[0]), int(parts[1])


def films_in(given: tuple[Path, ...], tally: Tally) -> list[Path]:
    """The films named, and those in the folders named, in order of name; what cannot be found is refused."""
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            if not inside:
                tally.refuse(path, "folder without films", ", ".join(SUFFIXES))
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            tally.refuse(path, "no such film")
    return found


def told(items: Sequence[Any], label: str) -> Any:
    """The items with a progress bar on stderr."""
    return click.progressbar(items, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


@click.command("frames")
@click.argument("given", nargs=-1, required=True, metavar="FILM_OR_FOLDER...", type=click.Path(path_type=Path))
@click.option("--out", type=_OUT, required=True, help="Folder for the pictures; made when missing.")
@click.option("--every-frames", type=click.IntRange(1), help="Every N-th frame.")
@click.option("--every-s", type=click.FloatRange(0.01), help="One frame each so many seconds (default: 1).")
@click.option("--from-s", type=click.FloatRange(0), default=0.0, help="Begin here.")
@click.option("--to-s", type=click.FloatRange(0), help="End here.")
@click.option("--format", "suffix", type=click.Choice(["jpg", "png"]), default="jpg", show_default=True)
@click.option("--quality", type=click.IntRange(1, 100), default=92, show_default=True, help="Of JPEG.")
def frames(
    given: tuple[Path, ...],
    out: Path,
    every_frames: int | None,
    every_s: float | None,
    from_s: float,
    to_s: float | None,
    suffix: str,
    quality: int,
) -> None:
    """Cut still pictures out of films: FILM__00012.480s_f0000312.jpg is the frame at 12.480 s, number 312.

    A film that stops mid-way gives the frames up to there; it is named and counted, and the exit code is 1.
    """
    if every_frames and every_s:
        raise click.UsageError("--every-frames and --every-s exclude each other")
    tally = Tally()
    choice = frames_module.Choice(every_frames, every_s or (None if every_frames else 1.0), from_s, to_s)
    with told(films_in(given, tally), "films") as bar:
        frames_module.cut(bar, out, choice, f".{suffix}", quality, tally)
    sys.exit(tally.finish())


@click.command("films")
@click.argument("given", nargs=-1, required=True, metavar="FILM_OR_FOLDER...", type=click.Path(path_type=Path))
@click.option("--out", type=_OUT, required=True, help="Folder for the films; made when missing.")
@click.option("--size", type=Size(), help="WIDTHxHEIGHT; the shape of the picture is given up.")
@click.option("--width", type=click.IntRange(16, 7680), help="The height follows.")
@click.option("--height", type=click.IntRange(16, 7680), help="The width follows.")
@click.option("--fps", type=click.FloatRange(1, 240), help="A constant rate: the nearest frame at each instant.")
@click.option("--from-s", type=click.FloatRange(0), default=0.0, help="Begin here.")
@click.option("--to-s", type=click.FloatRange(0), help="End here.")
@click.option("--piece-s", type=click.FloatRange(0.5), help="Cut sub-clips of so many seconds.")
@click.option("--stride-s", type=click.FloatRange(0.1), help="They begin so far apart (default: one after the other).")
@click.option("--angles", type=Angles(), default="0", help="Turn by each of these degrees; 0 is the film as it is.")
@click.option("--canvas", type=click.Choice(["kept", "expanded"]), default="kept", show_default=True)
@click.option("--fill", type=click.Choice(geometry.FILLS), default="edge", show_default=True, help="Of the corners.")
@click.option("--crf", type=click.IntRange(0, 51), default=20, show_default=True, help="Of libx264: lower is better.")
def films(given: tuple[Path, ...], out: Path, **wanted: Any) -> None:
    """Resize films, change their frame rate, cut sub-clips, turn the picture; re-encoded as H.264 MP4.

    Timestamps decide: films of variable rate keep each frame's own time unless --fps is given. Odd sizes get one more
    row or column. Names: FILM__00003.000s__a010.mp4 is the sub-clip from 3 s on, turned by 10 degrees.
    """
    size, width, height = (wanted.pop(name) for name in ("size", "width", "height"))
    if size and (width or height):
        raise click.UsageError("--size and --width or --height exclude each other")
    if wanted["stride_s"] and not wanted["piece_s"]:
        raise click.UsageError("--stride-s needs --piece-s")
    width, height = size or (width, height)
    plan = films_module.Plan(width, height, expanded=wanted.pop("canvas") == "expanded", **wanted)
    tally = Tally()
    with told(films_in(given, tally), "films") as bar:
        films_module.prepare(bar, out, plan, tally)
    sys.exit(tally.finish())


def _labelled(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments that all commands on labelled pictures share."""
    for option in (
        click.argument("folder", type=_FOLDER),
        click.option("--format", "kind", type=_KIND, default="yolo", show_default=True, help="What labelImg wrote."),
        click.option("--labels", "labels_folder", type=_FOLDER, help="Folder of the label files (default: FOLDER)."),
        click.option("--classes", "classes_file", type=_FILE, help="Default: classes.txt beside the labels."),
        click.option("--outside", type=click.Choice(["clip", "refuse"]), default="clip", show_default=True,
                     help="What to do with a box that reaches out of the picture."),
        click.option("--empty", type=click.Choice(["skip", "background"]), default="skip", show_default=True,
                     help="What an empty label file means: a mistake, or a picture in which there is nothing."),
    ):  # fmt: skip
        command = option(command)
    return command


def _classes(kind: str, folder: Path, file: Path | None) -> list[str] | None:
    """The known classes; None for VOC without a list: then every name is taken."""
    path = file or folder / CLASSES
    if kind == "voc" and file is None and not path.is_file():
        return None
    return labels.read_classes(path)


@click.command("check-labels")
@_labelled
def check_labels(folder: Path, kind: str, labels_folder: Path | None, classes_file: Path | None,
                 outside: str, empty: str) -> None:  # fmt: skip
    """Say of each labelled picture in FOLDER whether it is sound, and count boxes by class."""
    where = labels_folder or folder
    tally = Tally()
    classes = _classes(kind, where, classes_file)
    for picture in labels.pictures(folder, where, kind, classes, Rules(outside, empty), tally):
        for box in picture.boxes:
            tally.use(f"class {box.name}")
    sys.exit(tally.finish())


@click.command("convert-labels")
@_labelled
@click.option("--to", "target", type=_KIND, required=True)
@click.option("--out", type=_OUT, required=True, help="Folder for the label files and classes.txt.")
@click.option("--with-pictures", is_flag=True, help="Copy the pictures beside them.")
def convert_labels(folder: Path, kind: str, labels_folder: Path | None, classes_file: Path | None, outside: str,
                   empty: str, target: str, out: Path, with_pictures: bool) -> None:  # fmt: skip
    """Rewrite the labels of FOLDER in the other format; only what is sound, see check-labels."""
    where = labels_folder or folder
    tally = Tally()
    known = _classes(kind, where, classes_file)
    sound = list(_headers(labels.pictures(folder, where, kind, known, Rules(outside, empty), tally)))
    classes = known or sorted({box.name for picture in sound for box in picture.boxes})
    out.mkdir(parents=True, exist_ok=True)
    for picture in sound:
        labels.write(out, picture.path.stem, target, picture, classes)
        tally.use("label files written")
        if with_pictures:
            shutil.copyfile(picture.path, out / picture.path.name)
    labels.write_classes(out, classes)
    sys.exit(tally.finish())


def _headers(pictures: Any) -> Any:
    """The pictures without holding the pixels of all of them: a view of one pixel that still knows its size."""
    import numpy as np

    for picture in pictures:
        width, height = picture.size
        yield labels.Picture(picture.path, np.broadcast_to(np.uint8(0), (height, width, 3)), picture.boxes)


@click.command("rotate")
@_labelled
@click.option("--out", type=_OUT, required=True)
@click.option("--angles", type=Angles(), default="10:350:10", show_default=True, help="Degrees, counter-clockwise.")
@click.option("--canvas", type=click.Choice(["kept", "expanded"]), default="kept", show_default=True)
@click.option("--least-visible", type=click.FloatRange(0, 1), default=0.5, show_default=True,
              help="A box of which less stays on the canvas is dropped.")  # fmt: skip
@click.option("--fill", type=click.Choice(geometry.FILLS), default="gray", show_default=True, help="Of the corners.")
def rotate(folder: Path, kind: str, labels_folder: Path | None, classes_file: Path | None, outside: str, empty: str,
           out: Path, angles: tuple[float, ...], canvas: str, least_visible: float, fill: str) -> None:  # fmt: skip
    """Turn the labelled pictures of FOLDER by each angle and make boxes that fit: NAME__a010.jpg and its label.

    Corners are turned, cut at the canvas and enclosed again, so boxes get looser, most at 45 degrees.
    """
    from models.tools import augment

    where = labels_folder or folder
    if out.resolve() in (folder.resolve(), where.resolve()):
        raise ToolError(f"{out} holds the originals: choose another folder for --out")
    tally = Tally()
    known = _classes(kind, where, classes_file)
    if known is None:
        raise ToolError("name the classes with --classes: the labels are written with their numbers")
    sound = labels.pictures(folder, where, kind, known, Rules(outside, empty), tally)
    augment.rotate(
        sound,
        out,
        angles,
        tally,
        kind=kind,
        classes=known,
        expanded=canvas == "expanded",
        least_visible=least_visible,
        fill=fill,
    )
    labels.write_classes(out, known)
    sys.exit(tally.finish())


@click.group("sample")
def sample() -> None:
    """Practice material from the rendered playroom, in which nobody is real. Needs PYTHONPATH=local or `uriai`."""


@sample.command("clips")
@click.argument("out", type=_OUT)
@click.option("--rooms", type=click.IntRange(1, 1000), default=8, show_default=True, help="Two clips each.")
@click.option("--length-s", type=click.FloatRange(0.5, 60), default=2.0, show_default=True)
@click.option("--fps", type=click.IntRange(5, 60), default=8, show_default=True)
@click.option("--size", type=Size(), default="256x144", show_default=True)
def sample_clips(out: Path, rooms: int, length_s: float, fps: int, size: tuple[int, int]) -> None:
    """Films OUT/fight/room0__assault.mp4, OUT/no_fight/room0__walk.mp4, …"""
    from models.tools import sample as sample_module

    tally = Tally()
    sample_module.clips(out, rooms, length_s, fps, size, tally)
    sys.exit(tally.finish())


@sample.command("pictures")
@click.argument("out", type=_OUT)
@click.option("--count", type=click.IntRange(1, 1000), default=6, show_default=True)
@click.option("--size", type=Size(), default="640x360", show_default=True)
def sample_pictures(out: Path, count: int, size: tuple[int, int]) -> None:
    """Pictures with labels as labelImg would leave them, classes person and assault."""
    from models.tools import sample as sample_module

    tally = Tally()
    sample_module.pictures(out, count, size, tally)
    sys.exit(tally.finish())
