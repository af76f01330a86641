"""`uriai emotion`: the emotion of face pictures, without the cloud."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import click
import cv2
import numpy as np

from uriai.adapters.vision.emotion import Crop, EmotionClassifier, fit
from uriai.adapters.vision.registry import LocalModels, open_model
from uriai_cli.vision import error_object, models_option, print_json, refusals_told, threads_option

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm", ".ppm", ".tif", ".tiff"}
_AT_ONCE = 64


class _Unusable(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one line a picture.")
@models_option
@threads_option
def command(paths: tuple[Path, ...], as_json: bool, models_folder: Path, threads: int) -> None:
    """Tell the emotion of each picture: PATH is one face crop, or a folder of them (looked through with its
    sub-folders).

    A picture of any size is taken as 48x48 gray. Exits with 1 if a picture could not be read.
    """
    failed = False
    with refusals_told():
        classifier = EmotionClassifier(open_model(LocalModels(models_folder), "emotion", threads))
        pictures = _pictures(paths)
        done = 0
        while chunk := list(islice(pictures, _AT_ONCE)):
            failed = _classify(classifier, chunk, as_json) or failed
            done += len(chunk)
            if done > _AT_ONCE and sys.stderr.isatty():
                click.echo(f"\r{done} pictures", err=True, nl=False)
    if failed:
        sys.exit(1)


def _classify(classifier: EmotionClassifier, pictures: Sequence[Path | tuple[Path, _Unusable]], as_json: bool) -> bool:
    """Print a line for each picture, in order; whether one of them was unusable."""
    read: list[tuple[Path, Crop | _Unusable]] = []
    for picture in pictures:
        if isinstance(picture, tuple):
            read.append(picture)
            continue
        try:
            read.append((picture, _read(picture)))
        except _Unusable as error:
            read.append((picture, error))
    answers = iter(classifier.classify([crop for _, crop in read if not isinstance(crop, _Unusable)]))
    failed = False
    for file, crop in read:
        if isinstance(crop, _Unusable):
            failed = True
            if as_json:
                print_json(error_object(file, crop.kind, str(crop)))
            else:
                click.echo(f"{file}: {crop.kind}: {crop}", err=True)
            continue
        probabilities = dict(next(answers))
        emotion = max(probabilities, key=lambda name: probabilities[name])
        if as_json:
            print_json({"file": str(file), "emotion": emotion, "probabilities": probabilities})
        else:
            click.echo(f"{file}: {emotion} {probabilities[emotion]:.3f}")
    return failed


def _pictures(paths: Sequence[Path]) -> Iterator[Path | tuple[Path, _Unusable]]:
    """The pictures in the order named, those of a folder sorted; a folder without any is told as one that cannot be
    used.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
        if not found:
            yield path, _Unusable("no_pictures", f"the folder holds no picture ({' '.join(sorted(_SUFFIXES))})")
        yield from found


def _read(file: Path) -> Crop:
    try:
        content = np.frombuffer(file.read_bytes(), np.uint8)
    except FileNotFoundError as error:
        raise _Unusable("not_found", "there is no such file") from error
    except OSError as error:
        raise _Unusable("unreadable", f"the file cannot be read: {error.strerror}") from error
    if not content.size:
        raise _Unusable("zero_bytes", "the file is empty (0 bytes)")
    try:
        gray = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:
        raise _Unusable("not_a_picture", "the picture is damaged or larger than can be read") from error
    if gray is None:
        raise _Unusable("not_a_picture", "the file is no picture that can be read, or is damaged")
    return fit(np.asarray(gray, np.uint8))
