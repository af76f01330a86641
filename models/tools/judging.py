"""How good a model is on clips of source films it has not learned from, with intervals over source films."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.common import measure
from models.common.manifest import CLIP_HASHES, clip_hash
from models.tools.clips import Labelled
from models.tools.tally import Tally, ToolError
from models.tools.watching import Opened, Watched, log_odds, watch

Floats = NDArray[np.float64]
OUT_OF_FOLD = "out_of_fold.csv"
OUT_OF_FOLD_HASH = "out_of_fold_sha256"
FEW_FILMS = 20
"""Below so many source films the figures are told to be rough: one film is then five points of everything."""
_COLUMNS = ("file", "sha256", "group", "label", "fold", "start_s", "log_odds")
_MEASURES: dict[str, Callable[[Floats, Floats], float]] = {
    "accuracy": lambda p, y: float(((p > 0.5) == (y > 0.5)).mean()),
    "auc": measure.auc,
    "brier": measure.brier,
    "ece": measure.ece_equal_mass,
}


def by_clip(scores: Floats, of: NDArray[np.int64], clips: int) -> Floats:
    """A clip's score is the highest of its windows', as in the product."""
    found = np.full(clips, -np.inf)
    np.maximum.at(found, of, scores)
    return found


def check_enough(clips: Sequence[Labelled]) -> None:
    """Raises ``ToolError`` when fewer than 3 source films hold a class: then nothing can be said."""
    for name, value in (("fight", 1), ("no_fight", 0)):
        films = {clip.group for clip in clips if clip.fight == value}
        if len(films) < 3:
            raise ToolError(f"{name} comes from {len(films)} source film(s) now; at least 3 are needed to say anything")


def figures(clips: Sequence[Labelled], probability: Floats) -> dict[str, Any]:
    """Accuracy at 0.5, AUC, Brier score and calibration error over 5 equal-mass bins of clips' probabilities [C].

    Each with a 95 % interval from drawing source films, not clips, with replacement.
    """
    truth = np.array([clip.fight for clip in clips], np.float64)
    names = sorted({clip.group for clip in clips})
    members = [np.flatnonzero([clip.group == name for clip in clips]) for name in names]
    found: dict[str, Any] = {
        "clips": len(clips),
        "fights": int(truth.sum()),
        "source_films": len(names),
    }
    for name, value in _MEASURES.items():

        def drawn(chosen: NDArray[np.int64], value: Callable[[Floats, Floats], float] = value) -> float:
            cases = np.concatenate([members[k] for k in chosen])
            return value(probability[cases], truth[cases])

        low, high = measure.bootstrap(drawn, np.arange(len(names)))
        found[name] = value(probability, truth)
        found[f"{name}_95"] = (
            f"{100 * low:.1f} to {100 * high:.1f} %" if name == "accuracy" else f"{low:.3f} to {high:.3f}"
        )
    return found


def at_thresholds(clips: Sequence[Labelled], probability: Floats, thresholds: dict[str, Any]) -> list[dict[str, Any]]:
    """For ``report`` and ``review``: which share of fights is found, which share of calm clips accused."""
    truth = np.array([clip.fight for clip in clips])
    return [
        {
            "verdict": name,
            "probability over": float(thresholds[name]),
            "fights found": float((probability > thresholds[name])[truth == 1].mean()),
            "calm clips accused": float((probability > thresholds[name])[truth == 0].mean()),
        }
        for name in ("report", "review")
        if isinstance(thresholds.get(name), int | float)
    ]


def lines(title: str, found: dict[str, Any]) -> list[str]:
    """The figures for people."""
    told = [f"{title}: {found['clips']} clips, {found['fights']} of them fight, of {found['source_films']} films"]
    told.append(f"  accuracy {100 * found['accuracy']:.1f} %  (95 %: {found['accuracy_95']})")
    told += [
        f"  {name:8} {found[key]:.3f}  (95 %: {found[f'{key}_95']})"
        for name, key in (("AUC", "auc"), ("Brier", "brier"), ("ECE", "ece"))
    ]
    return told


def few(found: dict[str, Any]) -> list[str]:
    """What has to be said when there are few source films."""
    if found["source_films"] >= FEW_FILMS:
        return []
    films = found["source_films"]
    return [
        f"  {films} source films are few (under {FEW_FILMS}): the intervals are too narrow, every film added may "
        "change the figures"
    ]


def verdict(found: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Whether the new model is any better than the one it was made from, where the figures do not show it."""
    if found["brier"] < before["brier"] and found["auc"] >= before["auc"]:
        return []
    return ["  not better than what it started from on films it has not seen: keep the model you had"]


def known_to(manifest: dict[str, Any]) -> set[str]:
    """Hashes of the clips that a model of ours was made from, shortened; empty where its manifest names none."""
    named = manifest.get("training_data", {}).get(CLIP_HASHES, [])
    return {str(value) for value in named} if isinstance(named, list) else set()


def unseen(clips: Sequence[Labelled], manifest: dict[str, Any], tally: Tally) -> list[Labelled]:
    """The clips of source films that the model has not learned from; the others are skipped by name."""
    return _fair(clips, manifest, set(), tally)


def _fair(clips: Sequence[Labelled], manifest: dict[str, Any], out_of_fold: set[str], tally: Tally) -> list[Labelled]:
    known = known_to(manifest)
    films = {clip.group for clip in clips if clip_hash(clip.sha256) in known}
    kept = []
    for clip in clips:
        if clip.sha256 in out_of_fold:
            kept.append(clip)
        elif clip_hash(clip.sha256) in known:
            tally.skip(clip.path, "the model has learned from this clip", str(manifest.get("name", "")))
        elif clip.group in films:
            tally.skip(clip.path, "the model has learned from this source film", clip.group)
        else:
            kept.append(clip)
    return kept


@dataclass(frozen=True)
class Said:
    """What a model says of clips it has not learned from: for each clip, start of a window in s -> log odds."""

    clips: tuple[Labelled, ...]
    windows: tuple[dict[float, float], ...]

    def probability(self) -> Floats:
        """Of each clip [C]: that of its highest window."""
        return measure.sigmoid(np.array([max(found.values()) for found in self.windows]))


def ask(clips: Sequence[Labelled], opened: Opened, cache: Path, tally: Tally) -> Said:
    """Clips that the model was made from are judged by what the model of the other folds said of them
    (``out_of_fold.csv`` beside it); where that is not known, they and other clips of their films are skipped.
    """
    told = read_out_of_fold(opened)
    fair = _fair(clips, opened.manifest, set(told), tally)
    new = [clip for clip in fair if clip.sha256 not in told]
    if new:
        watched = watch(new, opened, cache, tally)
        odds = log_odds(watched.probability, 1e-7)
        for index, start_s, value in zip(watched.of, watched.start_s, odds, strict=True):
            told.setdefault(watched.clips[index].sha256, {})[round(float(start_s), 3)] = float(value)
    kept = tuple(clip for clip in fair if clip.sha256 in told)
    held = sum(clip_hash(clip.sha256) in known_to(opened.manifest) for clip in kept)
    tally.use("clips judged by the model of the other folds", held)
    tally.use("clips the model has never seen", len(kept) - held)
    return Said(kept, tuple(told[clip.sha256] for clip in kept))


def out_of_fold_table(watched: Watched, scores: Floats) -> bytes:
    """CSV, one row for each window: what the model of the other folds says of it, calibrated log odds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for index, start_s, score in zip(watched.of, watched.start_s, scores, strict=True):
        clip = watched.clips[index]
        label = "fight" if clip.fight else "no_fight"
        writer.writerow([clip.path.name, clip.sha256, clip.group, label, clip.fold, f"{start_s:.3f}", f"{score:.6f}"])
    return text.getvalue().encode()


def read_out_of_fold(opened: Opened) -> dict[str, dict[float, float]]:
    """Hash of a clip -> start of a window, rounded to 1 ms -> log odds. Empty without the file.

    Raises ``ToolError`` when the file is not the one the model was published with.
    """
    path = opened.folder / OUT_OF_FOLD
    if not path.is_file():
        return {}
    stated = opened.manifest.get("training_data", {}).get(OUT_OF_FOLD_HASH)
    if hashlib.sha256(path.read_bytes()).hexdigest() != stated:
        raise ToolError(f"{path} is not of the model beside it: train the model again, or take the file away")
    found: dict[str, dict[float, float]] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        for row in reader:
            found.setdefault(row["sha256"], {})[float(row["start_s"])] = float(row["log_odds"])
    return found
