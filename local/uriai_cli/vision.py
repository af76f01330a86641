"""What the commands that look at pictures share: where the models are, and how a file that cannot be used is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from uriai_cli.errors import CliError

MODELS = Path(__file__).resolve().parents[2] / "models"
"""The models of the repository."""

models_option = click.option(
    "--models",
    "models_folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=MODELS,
    show_default="those of the repository",
    help="Folder with the models: violence/, face/, emotion/, person/, age/, each model.onnx and manifest.json.",
)

threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Threads of the models; one costs the least CPU time.",
)


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turn a refused model into the command line's error."""
    from uriai.adapters.vision.registry import ModelRefused

    try:
        yield
    except ModelRefused as error:
        raise CliError(f"{error} (`uriai models verify` checks all of them)") from error


def print_json(value: dict[str, Any]) -> None:
    """One object a line, as it is found."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


def error_object(file: Path, kind: str, message: str) -> dict[str, Any]:
    """What stands for a file that could not be used."""
    return {"file": str(file), "error": {"type": kind, "message": message}}
