"""`uriai models`: which models there are, and whether each is what its manifest says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from uriai.adapters.vision.registry import ROLES, LocalModels, Manifest, ModelRefused, open_model
from uriai_cli.vision import models_option, print_json


@click.group()
def command() -> None:
    """The models that look at clips."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@models_option
def list_models(as_json: bool, models_folder: Path) -> None:
    """Print role, name, version, licence and hash of each model, as the manifests state them."""
    failed = False
    for role in ROLES:
        try:
            row = _row(LocalModels(models_folder).manifest(role))
        except ModelRefused as refusal:
            failed = True
            row = {"role": role, "error": {"type": "refused", "message": str(refusal)}}
        if as_json:
            print_json(row)
        elif "error" in row:
            click.echo(f"{role:10} {row['error']['message']}", err=True)
        else:
            name = f"{row['name']}@{row['version']}"
            click.echo(f"{role:10} {name:32} {row['bytes'] / 1e6:6.2f} MB  {row['licence']:12} {row['sha256']}")
    if failed:
        sys.exit(1)


@command.command("verify")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@models_option
def verify_models(as_json: bool, models_folder: Path) -> None:
    """Check each model's bytes against its hash, and its graph against manifest and role. Exits with 1 if one is
    refused.
    """
    failed = False
    for role in ROLES:
        row: dict[str, Any]
        try:
            model = open_model(LocalModels(models_folder), role)
            row = {"role": role, "model": str(model.reference), "ok": True}
        except ModelRefused as refusal:
            failed = True
            row = {"role": role, "ok": False, "error": {"type": "refused", "message": str(refusal)}}
        if as_json:
            print_json(row)
        elif row["ok"]:
            click.echo(f"{role:10} ok       {row['model']}")
        else:
            click.echo(f"{role:10} refused  {row['error']['message']}")
    if failed:
        sys.exit(1)


def _row(manifest: Manifest) -> dict[str, Any]:
    path = manifest.path
    return {
        "role": manifest.role,
        "name": manifest.reference.name,
        "version": manifest.reference.version,
        "sha256": manifest.reference.sha256,
        "bytes": path.stat().st_size if path.is_file() else 0,
        "licence": manifest.licence,
        "folder": str(manifest.folder),
    }
