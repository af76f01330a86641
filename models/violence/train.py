"""Train, measure and publish the violence model: ``python -m models.violence.train --cache FOLDER``.

Seeded. Decoded clips and tokens are cached, so an interrupted run takes up where it was. The cache holds footage: it
belongs outside the repository. ``playroom`` must be importable (``PYTHONPATH=local``).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.common import card, comparison, measure, runtime
from models.common.manifest import publish
from models.common.package import Fetched
from models.common.paths import data_root
from models.violence import backbone, data, evaluate, export, features, heads, rendered
from models.violence.network import ExportedViolence, Tokeniser

HERE = Path(__file__).parent
Floats = NDArray[np.float64]


def main() -> None:
    """Parse the command line and run all steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded clips and tokens")
    parser.add_argument("--labels", type=Path, help="labels.csv (default: under URIAI_DATA)")
    parser.add_argument("--wheel", type=Path, help="the backbone's wheel, downloaded beforehand")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of the reported runs, and LSTMs in the final model")
    parser.add_argument("--varied", type=int, default=4, help="augmented views of every clip")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if HERE.parents[1] in options.cache.resolve().parents:
        parser.error("--cache holds footage of real people: choose a folder outside the repository")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    began = time.monotonic()
    labels = options.labels or data_root() / "violence" / "labels.csv"
    train(data.read_labels(labels), options)
    print(f"done in {(time.monotonic() - began) / 60:.0f} minutes")


def train(clips: Sequence[data.Clip], options: argparse.Namespace) -> None:
    """Tokens, folds, final fit, export, card."""
    run = features.tokeniser(options.wheel)
    names = ["plain", *(f"varied{n}" for n in range(options.varied))]
    tokens, pixels = options.cache / "tokens", options.cache / "pixels"
    views = {name: features.real(clips, name, tokens, pixels, run) for name in names}
    playroom = features.together([features.playroom(part, tokens, run) for part in rendered.TRAINING])
    check = features.playroom(rendered.CHECKING, tokens, run)
    seeds = range(options.seeds)
    protocol = evaluate.Protocol(evaluate.Corpus(clips, views, playroom))
    rendered_platt = protocol.rendered_platt()
    metrics, real_platt = _real(protocol, rendered_platt, seeds)
    final = protocol.fit(np.ones(len(clips), bool), seeds)
    network, licence = _network(final, real_platt, rendered_platt, options.wheel)
    stored = export.to_onnx(network)
    scores = final.scores(check.tokens, heads.summaries(check.tokens))
    chance = measure.sigmoid(scores.log_odds(real_platt, rendered_platt))
    metrics["rendered_playroom"] = _rendered(chance, check, rendered.CHECKING)
    metrics |= _cost(stored, network, data.cached(clips[0], pixels))
    publish(HERE, export.describe(metrics, _training_data(clips, views, playroom)), stored)
    (HERE / "NOTICE").write_text(export.notice(licence.licence), encoding="utf-8")
    card.write(HERE)
    comparison.main()


def _real(
    protocol: evaluate.Protocol, rendered_platt: evaluate.Platt, seeds: Sequence[int]
) -> tuple[dict[str, Any], evaluate.Platt]:
    """What the card says of real footage, and the final calibration, both from out-of-fold scores."""
    corpus = protocol.corpus
    fold, fight, own = corpus.of("fold"), corpus.of("fight"), ~corpus.of("other_dataset")
    runs, scores = [], []
    for seed in seeds:
        scores.append(protocol.out_of_fold([seed]))
        ungated = evaluate.Scores(scores[-1].real, scores[-1].rendered, np.full(len(scores[-1].gate), -np.inf))
        for training, found in (("real and rendered", scores[-1]), ("real only", ungated)):
            chance = protocol.cross_calibrated(found, rendered_platt)
            runs.append({"training": training, "seed": seed} | evaluate.figures(chance, fight, fold))
    together = scores[0].mean_with(scores[1:])
    chance = protocol.cross_calibrated(together, rendered_platt)
    accuracy_low, accuracy_high = measure.bootstrap(lambda p, y: float(((p > 0.5) == y).mean()), chance, fight)
    ece_low, ece_high = measure.bootstrap(measure.ece_equal_mass, chance, fight)
    single = [r for r in runs if r["training"] == "real and rendered"]
    metrics = {
        "clips": len(fight),
        "runs": runs,
        "real_footage": evaluate.figures(chance, fight, fold)
        | {
            "accuracy_95": f"{100 * accuracy_low:.1f} to {100 * accuracy_high:.1f} %",
            "ece_95": f"{ece_low:.3f} to {ece_high:.3f}",
            "seeds": len(seeds),
            "single_accuracy_mean": float(np.mean([r["accuracy"] for r in single])),
            "single_accuracy_spread": float(np.std([r["accuracy"] for r in single])),
            "single_auc_mean": float(np.mean([r["auc"] for r in single])),
            "single_auc_spread": float(np.std([r["auc"] for r in single])),
            "gate_mean": float(measure.sigmoid(together.gate).mean()),
        },
        "without_other_dataset": evaluate.figures(chance[own], fight[own], fold[own]),
        "by_fold": [
            {
                "fold": int(k),
                "clips": int((fold == k).sum()),
                "accuracy": float(((chance > 0.5) == fight)[fold == k].mean()),
                "auc": measure.auc(chance[fold == k], fight[fold == k]),
            }
            for k in sorted(set(fold.tolist()))
        ],
        "at_thresholds": _at_thresholds(chance, fight),
    }
    return metrics, protocol.real_platt(together)


def _at_thresholds(chance: Floats, fight: NDArray[np.int64]) -> list[dict[str, Any]]:
    rows = []
    for name, limit in export.THRESHOLDS.items():
        said = chance > limit
        rows.append(
            {
                "verdict": name,
                "probability over": limit,
                "fights found": float(said[fight == 1].mean()),
                "calm clips accused": float(said[fight == 0].mean()),
            }
        )
    return rows


def _rendered(chance: Floats, windows: features.Windows, programmes: Sequence[rendered.Programme]) -> dict[str, Any]:
    """Window figures on rendered seeds that were never trained on, for each kind of scene."""
    kinds = np.array([programmes[i].name for i in windows.of])
    rows = []
    for kind in dict.fromkeys(p.name for p in programmes):
        for label, meaning in ((0, "calm"), (1, "violent")):
            chosen = (kinds == kind) & (windows.label == label)
            if chosen.any():
                found = chance[chosen]
                rows.append(
                    {
                        "scene": kind,
                        "windows": int(chosen.sum()),
                        "truth": meaning,
                        "over 0.5": float((found > 0.5).mean()),
                        "over 0.8": float((found > 0.8).mean()),
                        "over 0.9": float((found > 0.9).mean()),
                        "mean": float(found.mean()),
                    }
                )
    calm, violent = chance[windows.label == 0], chance[windows.label == 1]
    highest = evaluate.by_clip(chance, windows, len(programmes))
    assaults = np.array([any(act.scene == "assault" for act in p.acts) for p in programmes])
    return {
        "first_seed": rendered.FIRST_CHECK_SEED,
        "windows": len(chance),
        "calm_over_half": float((calm > 0.5).mean()),
        "calm_over_review": float((calm > export.THRESHOLDS["review"]).mean()),
        "violent_over_report": float((violent > export.THRESHOLDS["report"]).mean()),
        "auc": measure.auc(chance, windows.label),
        "by_programme": [
            {
                "verdict": name,
                "programmes with an assault": int(assaults.sum()),
                "found": float((highest[assaults] > limit).mean()),
                "programmes without": int((~assaults).sum()),
                "accused": float((highest[~assaults] > limit).mean()),
            }
            for name, limit in export.THRESHOLDS.items()
        ],
        "scenes": rows,
    }


def _network(
    final: evaluate.Trained, real: evaluate.Platt, rendered_platt: evaluate.Platt, wheel: Path | None
) -> tuple[ExportedViolence, Fetched]:
    if final.rendered is None or final.gate is None:
        raise ValueError("the exported graph needs the rendered expert and its gate")
    share = evaluate.RECURRENT_SHARE if final.members else 0.0
    joined = (real.slope * (1 - share), real.slope * share, real.offset, rendered_platt.slope, rendered_platt.offset)
    readers = (final.linear, final.rendered, final.gate)
    head = heads.assemble(readers, final.members, (final.mean, final.scale), joined)
    network, licence = backbone.pretrained(wheel)
    return ExportedViolence(Tokeniser(network), head).eval(), licence


def _cost(stored: bytes, network: ExportedViolence, frames: data.Frames) -> dict[str, float]:
    windows = [np.asarray(window) for window in data.windows(frames)]
    with torch.inference_mode():
        tokens = [network.tokeniser(torch.from_numpy(w)[None]) for w in windows]
        expected = np.concatenate([torch.sigmoid(network.head(one)).numpy() for one in tokens])
    half = {"frames": windows[0][None, : export.HALF], "before": tokens[0][:, : export.HALF - 1].numpy()}
    return {
        # every window but a clip's first costs one call: its first half was the one before's second
        "milliseconds_per_window_one_thread": round(runtime.milliseconds(stored, half), 1),
        "largest_difference_from_torch": float(np.abs(export.probabilities(stored, windows) - expected).max()),
    }


def _training_data(
    clips: Sequence[data.Clip], views: dict[str, features.Windows], playroom: features.Windows
) -> dict[str, Any]:
    return {
        "summary": "Surveillance Camera Fight (Akti et al. 2019), and a rendered playroom as a domain of its own",
        "clips": len(clips),
        "source_videos": len({clip.group for clip in clips}),
        "fights": sum(clip.fight for clip in clips),
        "from_other_dataset": sum(clip.other_dataset for clip in clips),
        "views": list(views),
        "rendered_windows": len(playroom.of),
        "rendered_violent_windows": int(playroom.label.sum()),
    }


if __name__ == "__main__":
    main()
