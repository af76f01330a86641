"""`uriai models`: which models there are, which is chosen, and whether each is what its manifest says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from uriai.adapters.vision.physical import open_physical
from uriai.adapters.vision.registry import ROLES, LocalModels, Manifest, ModelRefused, open_model
from uriai_cli.vision import models_option, print_json


@click.group()
def command() -> None:
    """The models that look at clips."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@models_option
def list_models(as_json: bool, models_folder: Path) -> None:
    """Print role, name, version, size, licence and hash of each model, as the manifests state them.

    A star marks the one that set.json chooses for its role; the others lie in the folder and are not used. Exits with 1
    if a role has no model, or a manifest cannot be read.
    """
    source = LocalModels(models_folder)
    rows = [_listed(lambda role=role: source.manifest(role), role, chosen=True) for role in ROLES]
    try:
        others = source.others()
    except ModelRefused:
        others = ()  # the roles above have told why
    rows += [_listed(lambda name=name: source.of_folder(name), name, chosen=False) for name in others]
    for row in rows:
        if as_json:
            print_json(row)
        elif "error" in row:
            click.echo(f"  {row['role'] or row['folder']:10} {row['error']['message']}", err=True)
        else:
            star, name = "*" if row["chosen"] else " ", f"{row['name']}@{row['version']}"
            size = f"{row['bytes'] / 1e6:6.2f} MB"
            click.echo(f"{star} {row['role']:10} {name:32} {size}  {row['licence']:12} {row['sha256']}")
    if any("error" in row for row in rows):
        sys.exit(1)


@command.command("verify")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@models_option
def verify_models(as_json: bool, models_folder: Path) -> None:
    """Check each chosen model's bytes against its hash, and its graph against manifest and role; a box detector is
    tried on a gray picture. Exits with 1 if one is refused.
    """
    failed = False
    for role in ROLES:
        row: dict[str, Any]
        try:
            model = open_model(LocalModels(models_folder), role)
            if role == "violence":
                open_physical(model)
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


def _listed(read: Any, name: str, *, chosen: bool) -> dict[str, Any]:
    """The row of one model, or of the reason why there is none."""
    try:
        return _row(read()) | {"chosen": chosen}
    except ModelRefused as refusal:
        place = {"role": name} if chosen else {"role": "", "folder": name}
        return {**place, "chosen": chosen, "error": {"type": "refused", "message": str(refusal)}}


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
