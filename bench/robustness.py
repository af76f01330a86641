"""Accuracy of the violence model on recordings that something befell, by readers that never saw the clip's source.

    PYTHONPATH=local:layers/uriai .venv-train/bin/python -m bench.robustness --cache FOLDER

The folds are those of training, and so are the readers and their calibration: only what is looked at changes. Training
does this by itself; the command repeats it from the cache and writes the table into manifest and card.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import false_alarms
from models.common import card, measure
from models.common.manifest import replace
from models.violence import evaluate, features

HERE = Path(__file__).parents[1] / "models" / "violence"
Floats = NDArray[np.float64]


def table(
    protocol: evaluate.Protocol, seeds: Sequence[int], rendered: evaluate.Platt, cache: Path, run: features.Run
) -> list[dict[str, Any]]:
    """A row for the clips as they are and one for each condition."""
    plain = protocol.out_of_fold(seeds)
    rows = [_row("as recorded", protocol, protocol.plain, protocol.cross_calibrated(plain, rendered))]
    for name, windows in features.under(protocol.corpus.clips, cache, run).items():
        scores = protocol.out_of_fold(seeds, windows)
        rows.append(_row(name, protocol, windows, protocol.cross_calibrated(plain, rendered, (windows, scores))))
    return rows


def _row(name: str, protocol: evaluate.Protocol, windows: features.Windows, chance: Floats) -> dict[str, Any]:
    fight, fold = protocol.corpus.of("fight"), protocol.corpus.of("fold")
    of_clip = evaluate.by_clip(chance, windows, len(fight))
    found = evaluate.figures(of_clip, fight, fold)
    low, high = measure.bootstrap(lambda p, y: float(((p > 0.5) == y).mean()), of_clip, fight)
    return {
        "recording": name,
        "accuracy": found["accuracy"],
        "accuracy, 95 %": f"{low:.3f} to {high:.3f}",
        "AUC": found["auc"],
        "fights found": float((of_clip > 0.5)[fight == 1].mean()),
        "calm clips accused": float((of_clip > 0.5)[fight == 0].mean()),
    }


def main() -> None:
    """Measure from training's cache and write."""
    from models.violence import train  # which itself uses ``table``

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    train.add_options(parser)
    options = parser.parse_args()
    run = features.tokeniser(options.wheel)
    looked_at = false_alarms.looking_by(options.engine, run, options.wheel)
    protocol, _ = train.prepare(options, run, looked_at)
    cache = options.cache / "tokens" / options.engine
    rows = table(protocol, range(options.seeds)[: train.JOINED], protocol.rendered_platt(), cache, looked_at)
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    manifest["metrics"]["robustness"] = rows
    replace(HERE / "manifest.json", (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())
    card.write(HERE)
    print(card.table(rows))


if __name__ == "__main__":
    main()
