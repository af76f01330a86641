"""Commands on labelled clips and finished models."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from models.common.paths import MODELS
from models.tools import clips as clips_module
from models.tools import register as register_module
from models.tools.tally import Tally

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command("clips")
@click.argument("folder", type=_FOLDER)
@click.option("--folds", type=click.IntRange(2, 20), default=4, show_default=True)
@click.option("--labels", type=click.Path(path_type=Path, file_okay=False),
              help="Write labels.csv and clips/ there, for models.violence.train.")  # fmt: skip
def clips(folder: Path, folds: int, labels: Path | None) -> None:
    """Say of each labelled clip in FOLDER (fight/ and no_fight/, or labels.csv) whether it is sound, and print
    group-disjoint folds: file, class, source film, fold.
    """
    tally = Tally()
    found = clips_module.folded(clips_module.read(folder, tally), folds)
    if labels is not None:
        clips_module.write_labels(found, labels)
    for clip in found:
        click.echo(f"{clip.path.name}\t{'fight' if clip.fight else 'no_fight'}\t{clip.group}\t{clip.fold}")
    sys.exit(tally.finish())


@click.command("register")
@click.argument("folder", type=_FOLDER)
@click.option("--models", "models_folder", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="The set; begun with the repository's models when it does not exist.")  # fmt: skip
def register(folder: Path, models_folder: Path) -> None:
    """Put the model in FOLDER (manifest.json and its ONNX file) into a set, if the analyser takes it; then
    `uriai models verify --models SET` and `uriai analyze --models SET` use it.
    """
    tally = Tally()
    name = register_module.register(folder, models_folder, MODELS, tally)
    click.echo(f"{models_folder / name}")
    sys.exit(tally.finish())
