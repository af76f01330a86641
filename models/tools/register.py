"""Putting a model into a set: checked as the analyser checks it, and only then chosen."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from models.common.manifest import replace
from models.tools.tally import Tally, ToolError

_BESIDE = ("manifest.json", "card.md", "card.in.md", "NOTICE", "LICENSE")


def register(folder: Path, models: Path, base: Path, tally: Tally) -> str:
    """Copy a model from ``folder`` to ``models/NAME``; let ``models/set.json`` choose it for its role; return the name.

    A set that does not exist yet is begun with the models of ``base``. Raises ``ToolError`` when the analyser would
    refuse the model; nothing has been written then.
    """
    manifest = _manifest(folder / "manifest.json")
    name, role, file = (str(manifest.get(key, "")) for key in ("name", "role", "file"))
    file = file or "model.onnx"
    if not name or Path(name).name != name or name.startswith("."):
        raise ToolError(f"{folder / 'manifest.json'}: name {name!r} cannot be the name of a folder")
    files = [f for f in dict.fromkeys((file, *_BESIDE)) if Path(f).name == f and (folder / f).is_file()]
    with tempfile.TemporaryDirectory() as trial:
        _copy(folder, Path(trial) / name, files)
        (Path(trial) / "set.json").write_text(json.dumps({role: name}), encoding="utf-8")
        _check(Path(trial), role)
    if not (models / "set.json").is_file():
        _begin(models, base)
    if (models / name).resolve() != folder.resolve():
        _copy(folder, models / name, files)
    chosen = json.loads((models / "set.json").read_text(encoding="utf-8"))
    chosen[role] = name
    replace(models / "set.json", (json.dumps(chosen, indent=2, ensure_ascii=False) + "\n").encode())
    tally.use("models registered")
    return name


def _manifest(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ToolError(f"{path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise ToolError(f"{path} has to hold one JSON object")
    return values


def _check(models: Path, role: str) -> None:
    from uriai.adapters.vision.registry import LocalModels, ModelRefused, open_model

    try:
        open_model(LocalModels(models), role)
    except ModelRefused as refusal:
        raise ToolError(f"refused, and the set is as it was: {str(refusal).replace(str(models), '…')}") from refusal


def _begin(models: Path, base: Path) -> None:
    """A set of its own with the models of ``base``: the analyser needs one for each role."""
    chosen = json.loads((base / "set.json").read_text(encoding="utf-8"))
    for entry in chosen.values():
        name = entry["name"] if isinstance(entry, dict) else entry
        files = [p.name for p in (base / name).iterdir() if p.name in _BESIDE or p.suffix == ".onnx"]
        _copy(base / name, models / name, files)
    replace(models / "set.json", (json.dumps(chosen, indent=2) + "\n").encode())


def _copy(source: Path, target: Path, files: list[str]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        part = target / f"{file}.part"
        shutil.copyfile(source / file, part)
        part.replace(target / file)
