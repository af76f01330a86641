"""Commands that make a model of a folder of labelled clips, and that say how good one is."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from models.common.paths import MODELS
from models.tools import clips as clips_module
from models.tools import judging, watching
from models.tools.clips import Labelled
from models.tools.tally import Tally, ToolError

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_OUT = click.Path(path_type=Path, file_okay=False)
_FOLDS = click.option("--folds", type=click.IntRange(3, 20), default=4, show_default=True,
                      help="Parts of the source films; labels.csv may give its own.")  # fmt: skip
_CACHE = click.option("--cache", type=_OUT, help="What models said of clips is kept here (default: FOLDER/.seen).")
_NAME = click.option("--name", default="my-violence", show_default=True, help="Of the new model.")
_VERSION = click.option("--version", default="1.0.0", show_default=True, help="Of the new model.")


def ours() -> Path:
    """The folder of the repository's violence model."""
    entry = json.loads((MODELS / "set.json").read_text(encoding="utf-8"))[watching.ROLE]
    return MODELS / str(entry["name"] if isinstance(entry, dict) else entry)


def _say(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)


@click.command("transfer")
@click.argument("folder", type=_FOLDER)
@click.option("--out", type=_OUT, required=True, help="Folder for the new model.")
@click.option("--model", "base", type=_FOLDER, help="The model to start from (default: the repository's).")
@click.option("--from-scratch", is_flag=True, help="Use its tokens only, not what it says.")
@_NAME
@_VERSION
@_FOLDS
@_CACHE
def transfer(
    folder: Path, out: Path, base: Path | None, from_scratch: bool, name: str, version: str, folds: int,
    cache: Path | None,
) -> None:  # fmt: skip
    """Train on the labelled clips in FOLDER (fight/ and no_fight/, or labels.csv), starting from a finished model.
    Needs no GPU. Prints figures of clips whose source films were held out, beside those of the model it started from;
    writes model.onnx, manifest.json, card.md and out_of_fold.csv to OUT.
    """
    from models.tools import head, publishing
    from models.tools import transfer as learning

    tally = Tally()
    opened = watching.open_folder(base or ours())
    publishing.check_target(out, [opened])
    if not opened.has_tokens:
        raise ToolError(f"{opened.folder}: this model gives no tokens to learn from; stack it with one that does")
    clips = judging.unseen(clips_module.read(folder, tally), opened.manifest, tally)
    judging.check_enough(clips)
    seen = watching.watch(clips_module.folded(clips, folds), opened, cache or folder / ".seen", tally)
    judging.check_enough(seen.clips)
    watched = learning.thinned(seen, tally)
    trained = learning.train(watched, from_scratch)
    metrics = learning.measured(watched, trained, opened.manifest.get("thresholds", {}))
    start = "tokens" if from_scratch else "tokens and probability"
    summary = (
        f"A linear reader of the {start} of {opened.reference.name} {opened.reference.version}, trained on "
        f"{len(watched.clips)} labelled clips, {sum(clip.fight for clip in watched.clips)} of them fight, of "
        f"{len({clip.group for clip in watched.clips})} source films"
    )
    graph = head.with_reader(opened.content, trained.reader)
    about = publishing.described(name, version, graph, [opened], watched, metrics, summary)
    expected = trained.reader(watching.log_odds(watched.probability), watched.summary)
    template = Path(__file__).with_name("transfer.card.in.md").read_text(encoding="utf-8")
    table = judging.out_of_fold_table(watched, trained.out_of_fold)
    publishing.publish(out, graph, about, template, [opened], table, (watched, expected))
    _say(judging.lines(f"{name}, out of fold", metrics["out_of_fold"]))
    _say(judging.lines(f"{opened.reference.name}, the same clips", metrics["base_model"]))
    _say(judging.few(metrics["out_of_fold"]))
    _say(judging.verdict(metrics["out_of_fold"], metrics["base_model"]))
    tally.use("models written")
    click.echo(str(out))
    sys.exit(tally.finish())


@click.command("stack")
@click.argument("folder", type=_FOLDER)
@click.option("--model", "chosen", type=_FOLDER, multiple=True, help="Twice: the folders of both models.")
@click.option("--out", type=_OUT, required=True, help="Folder for the new model.")
@click.option("--name", default="my-stack", show_default=True, help="Of the new model.")
@_VERSION
@_FOLDS
@_CACHE
def stack(
    folder: Path, chosen: tuple[Path, ...], out: Path, name: str, version: str, folds: int, cache: Path | None
) -> None:
    """Join two models of role violence into one that weighs both, learned from the labelled clips in FOLDER. Clips that
    one of them has learned from count with what its other folds said of them, or not at all.
    """
    from models.tools import merge, publishing
    from models.tools import stack as stacking

    if len(chosen) != 2:
        raise click.UsageError("two models are stacked: give --model twice")
    tally = Tally()
    sources = [watching.open_folder(path) for path in chosen]
    if sources[0].reference.sha256 == sources[1].reference.sha256:
        raise ToolError("both are the same model: there is nothing to stack")
    publishing.check_target(out, sources)
    merge.check(*(opened.content for opened in sources))
    kept = cache or folder / ".seen"
    pair = stacking.ask_both(clips_module.read(folder, tally), sources, folds, kept, tally)
    trained = stacking.train(pair)
    merged = merge.stacked(
        sources[0].content, sources[1].content, (trained.numbers[0], trained.numbers[1]), trained.numbers[2]
    )
    metrics = stacking.measured(pair, trained, sources, merged.shared)
    summary = (
        f"{sources[0].reference.name} {sources[0].reference.version} and {sources[1].reference.name} "
        f"{sources[1].reference.version}, weighed by a logistic regression on {len(pair.watched.clips)} labelled clips"
    )
    about = publishing.described(name, version, merged.content, sources, pair.watched, metrics, summary)
    template = Path(__file__).with_name("stack.card.in.md").read_text(encoding="utf-8")
    table = judging.out_of_fold_table(pair.watched, trained.out_of_fold)
    probe = stacking.probe(pair, sources, trained, kept)
    publishing.publish(out, merged.content, about, template, sources, table, probe)
    _say(judging.lines(f"{name}, out of fold", metrics["out_of_fold"]))
    for opened, found in zip(sources, (metrics["first_model"], metrics["second_model"]), strict=True):
        _say(judging.lines(f"{opened.reference.name}, the same clips", found))
    click.echo(f"  {100 * merged.shared:.0f} % of the second model is computed by the first as well, and once")
    _say(judging.few(metrics["out_of_fold"]))
    better = min((metrics["first_model"], metrics["second_model"]), key=lambda found: float(found["brier"]))
    _say(judging.verdict(metrics["out_of_fold"], better))
    tally.use("models written")
    click.echo(str(out))
    sys.exit(tally.finish())


@click.command("evaluate")
@click.argument("folder", type=_FOLDER)
@click.option("--model", "chosen", type=_FOLDER, help="The model's folder (default: the repository's).")
@click.option("--table", type=click.Path(path_type=Path, dir_okay=False), help="Write each clip's probability there.")
@_CACHE
def evaluate(folder: Path, chosen: Path | None, table: Path | None, cache: Path | None) -> None:
    """Say how good a model of role violence, of whichever kind, is on the labelled clips in FOLDER: accuracy, AUC,
    Brier score, calibration error, with intervals over source films.

    Clips that a model of ours was made from are judged by what the model of the other folds said of them, or left out.
    """
    tally = Tally()
    opened = watching.open_folder(chosen or ours())
    clips = clips_module.read(folder, tally)
    said = judging.ask(clips, opened, cache or folder / ".seen", tally)
    judging.check_enough(said.clips)
    chance = said.probability()
    found = judging.figures(said.clips, chance)
    _say(judging.lines(f"{opened.reference.name} {opened.reference.version}", found))
    for row in judging.at_thresholds(said.clips, chance, opened.manifest.get("thresholds", {})):
        click.echo(
            f"  over {row['probability over']:g} ({row['verdict']}): {100 * row['fights found']:.1f} % of fights, "
            f"{100 * row['calm clips accused']:.1f} % of calm clips"
        )
    if not opened.detector.calibrated:
        click.echo("  its scores are confidences, not probabilities: Brier and ECE say how far from it")
    _say(judging.few(found))
    if table is not None:
        _write(table, said.clips, lambda k: float(chance[k]))
    sys.exit(tally.finish())


def _write(path: Path, clips: tuple[Labelled, ...], chance: Callable[[int], float]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer: Any = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "label", "group", "probability"])
        for k, clip in enumerate(clips):
            writer.writerow([clip.path.name, "fight" if clip.fight else "no_fight", clip.group, f"{chance(k):.6f}"])
