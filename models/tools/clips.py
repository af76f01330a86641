"""Folders of labelled clips, ``fight/`` and ``no_fight/`` or a ``labels.csv``: which are sound, which belong together.

A clip's group is its source film: from ``groups.csv`` (columns file, group), else what stands before the first ``__``
of its name.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.tools.film import SUFFIXES, Film, FilmError, rate_of
from models.tools.tally import Tally, ToolError
from models.violence import data

GROUPS = "groups.csv"
_LEAST_FRAMES = 5


@dataclass(frozen=True)
class Labelled:
    """A sound clip: ``fold`` is -1 until folds are made; ``sha256`` is of the file; ``fps`` 0 where the rate varies."""

    path: Path
    fight: int
    group: str
    sha256: str
    fold: int = -1
    fps: float = 0.0


def read(folder: Path, tally: Tally) -> list[Labelled]:
    """The sound clips of ``folder``, in order of name. Raises ``ToolError`` for a missing class or an unknown group."""
    listed = _listed(folder)
    sound: list[Labelled] = []
    labels_of: dict[str, set[int]] = {}
    for clip in listed:
        if not clip.path.is_file():
            tally.refuse(clip.path, "no such clip")
            continue
        digest = hashlib.sha256(clip.path.read_bytes()).hexdigest()
        labels_of.setdefault(digest, set()).add(clip.fight)
        sound.append(replace(clip, sha256=digest))
    kept: list[Labelled] = []
    seen: dict[str, Labelled] = {}
    for clip in sound:
        if len(labels_of[clip.sha256]) > 1:
            tally.refuse(clip.path, "the same film in both classes")
        elif clip.sha256 in seen:
            tally.skip(clip.path, "the same film twice", str(seen[clip.sha256].path.name))
        elif (fps := _plays(clip.path, tally)) is not None:
            kept.append(replace(clip, fps=fps))
        seen.setdefault(clip.sha256, clip)
    for name, value in data.LABELS.items():
        if not any(clip.fight == value for clip in kept):
            raise ToolError(
                f"{folder}: class {name} is missing: a model needs sound clips of {' and '.join(data.LABELS)}"
            )
        tally.use(f"clips of {name}", sum(clip.fight == value for clip in kept))
    tally.use("source films", len({clip.group for clip in kept}))
    return kept


def _plays(path: Path, tally: Tally) -> float | None:
    """Its frame rate, 0 where that varies; None when it is refused."""
    try:
        with Film(path) as film:
            times = np.array([shot.t_s for shot in film.shots()])
    except FilmError as error:
        tally.refuse(path, "film cannot be decoded", str(error))
        return None
    if film.stopped:
        tally.refuse(path, "film stops mid-way", film.stopped)
        return None
    if len(times) < _LEAST_FRAMES:
        tally.refuse(path, "too few frames", f"{len(times)}, at least {_LEAST_FRAMES} are needed")
        return None
    rate = rate_of(times)
    tally.use("clips at a variable rate" if rate is None else f"clips at {rate:.3g} fps")
    return rate or 0.0


def _listed(folder: Path) -> list[Labelled]:
    if (folder / "labels.csv").is_file():
        try:
            clips = data.read_labels(folder / "labels.csv")
        except data.LabelError as error:
            raise ToolError(str(error)) from error
        return [Labelled(clip.path, clip.fight, clip.group, "", clip.fold) for clip in clips]
    paths = {
        name: sorted(p for p in (folder / name).iterdir() if p.suffix.lower() in SUFFIXES)
        for name in data.LABELS
        if (folder / name).is_dir()
    }
    for name in data.LABELS:
        if not paths.get(name):
            raise ToolError(
                f"{folder}: class {name} is missing: put its clips into {folder / name}, or write labels.csv"
            )
    groups = _groups(folder / GROUPS)
    found, unknown = [], []
    for name, value in data.LABELS.items():
        for path in paths[name]:
            key = path.relative_to(folder).as_posix()
            group = groups.get(key) or groups.get(path.name) or (path.stem.split("__")[0] if "__" in path.stem else "")
            if not group:
                unknown.append(key)
            found.append(Labelled(path, value, group, ""))
    if unknown:
        raise ToolError(
            f"{folder}: {len(unknown)} clips of unknown source, {', '.join(unknown[:5])}: "
            f"name clips SOURCE__PART, or write {GROUPS} (file,group)"
        )
    return found


def _groups(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not {"file", "group"} <= set(reader.fieldnames or ()):
            raise ToolError(f"{path}: columns file and group are needed")
        groups: dict[str, str] = {}
        for line, row in enumerate(reader, start=2):
            if not row["file"] or not row["group"]:
                raise ToolError(f"{path}:{line}: file and group must not be empty")
            if groups.setdefault(row["file"], row["group"]) != row["group"]:
                raise ToolError(f"{path}:{line}: {row['file']} is in two groups")
        return groups


def folded(clips: Sequence[Labelled], folds: int, seed: int = 0) -> list[Labelled]:
    """The clips in group-disjoint folds of about equal size and mix; folds that ``labels.csv`` gave are kept.

    Raises ``ToolError`` when there are too few source films to judge anything.
    """
    if all(clip.fold >= 0 for clip in clips):
        return list(clips)
    groups = sorted({clip.group for clip in clips})
    for name, value in data.LABELS.items():
        of_class = {clip.group for clip in clips if clip.fight == value}
        if len(of_class) < 3:
            raise ToolError(
                f"{name} comes from {len(of_class)} source film(s); at least 3 are needed for each class, else "
                "nothing can be judged on films the model has not seen"
            )
    folds = min(folds, *(len({c.group for c in clips if c.fight == v}) for v in data.LABELS.values()))
    order = np.random.default_rng(seed).permutation(len(groups))
    counts = {g: np.array([sum(c.fight == v for c in clips if c.group == g) for v in (0, 1)]) for g in groups}
    filled = np.zeros((folds, 2))
    fold_of: dict[str, int] = {}
    for group in sorted((groups[k] for k in order), key=lambda g: -int(counts[g].sum())):
        # where the classes this group brings are rarest so far
        fold_of[group] = int(np.argmin((filled * (counts[group] + 0.01)).sum(1) + 0.001 * filled.sum(1)))
        filled[fold_of[group]] += counts[group]
    return [replace(clip, fold=fold_of[clip.group]) for clip in clips]


def write_labels(clips: Sequence[Labelled], out: Path) -> None:
    """``out/labels.csv`` as ``models.violence.train`` reads it, and ``out/clips/`` with links to the films (copies
    where the disk has no links). Raises ``ToolError`` when ``out`` holds labels already.
    """
    if (out / "labels.csv").exists():
        raise ToolError(f"{out / 'labels.csv'} is there already: name another folder")
    (out / "clips").mkdir(parents=True, exist_ok=True)
    rows = []
    for clip in clips:
        # two folders may hold films of one name
        target = out / "clips" / f"{clip.path.stem}_{clip.sha256[:8]}{clip.path.suffix}"
        target.unlink(missing_ok=True)
        try:
            target.symlink_to(clip.path.resolve())
        except OSError:
            shutil.copyfile(clip.path, target)
        label = next(name for name, value in data.LABELS.items() if value == clip.fight)
        rows.append((target.name, label, clip.fold, clip.group, f"{clip.fps:.3f}", 0))
    with (out / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([data.COLUMNS, *rows])
