"""`uriai analyze`: models and rules on video files, without the cloud."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import click

from uriai.adapters.vision.analyser import OnnxClipAnalyser
from uriai.domain.analysis import Box, Observations
from uriai.domain.finding import Finding, worst_verdict
from uriai.domain.rules import find_all
from uriai.domain.thresholds import Thresholds
from uriai.service.ports.vision import NotAVideo
from uriai_cli.vision import error_object, models_option, print_json, refusals_told, threads_option

_CHUNK_BYTES = 1 << 20


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one line a file.")
@models_option
@threads_option
def command(files: tuple[Path, ...], as_json: bool, models_folder: Path, threads: int) -> None:
    """Look for suspected abuse in video FILEs, with the deployed code's models and rules.

    Exits with 1 if a file could not be analysed; the others are analysed all the same.
    """
    with refusals_told():
        analyser = OnnxClipAnalyser.from_folder(models_folder, threads)
        failed = False
        for number, file in enumerate(files, start=1):
            if len(files) > 1 and sys.stderr.isatty():
                click.echo(f"{number}/{len(files)} {file}", err=True)
            result = analyse(analyser, file)
            failed = failed or "error" in result
            if as_json:
                print_json(result)
            else:
                _print_table(result)
    if failed:
        sys.exit(1)


def analyse(analyser: OnnxClipAnalyser, file: Path) -> dict[str, Any]:
    """The object of one file, as the command line's contract has it."""
    try:
        sha256 = _sha256(file)
        observations = analyser.observe(file)
    except NotAVideo as error:
        return error_object(file, error.reason_code, error.message)
    except FileNotFoundError:
        return error_object(file, "not_found", "there is no such file")
    except IsADirectoryError:
        return error_object(file, "not_a_file", "this is a folder: name the files in it")
    except OSError as error:
        return error_object(file, "unreadable", f"the file cannot be read: {error.strerror}")
    # as the cloud judges what it has stored
    return described(file, sha256, observations, find_all(observations.rounded(), Thresholds()))


def described(file: Path, sha256: str, observations: Observations, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """Observations and findings as plain values."""
    return {
        "file": str(file),
        "sha256": sha256,
        "duration_s": round(observations.duration_s, 3),
        "violence": {
            "probability": observations.violence_probability,
            "windows": [
                {"start_s": round(w.start_s, 3), "end_s": round(w.end_s, 3), "probability": w.probability}
                for w in observations.windows
            ],
            **_detected(observations),
        },
        "faces": [
            {
                "t_s": round(face.t_s, 3),
                "track": face.track,
                "box": _box(face.box),
                "emotions": dict(face.emotions),
                "adult": face.adult,
            }
            for face in observations.faces
        ],
        "people": [
            {"t_s": round(person.t_s, 3), "track": person.track, "box": _box(person.box)}
            for person in observations.people
        ],
        "findings": [
            {
                "kind": finding.kind.value,
                "start_s": round(finding.start_s, 3),
                "end_s": round(finding.end_s, 3),
                "confidence": finding.confidence,
                "verdict": finding.verdict.value,
            }
            for finding in findings
        ],
        "verdict": worst_verdict(findings).value,
        "models": dict(observations.models),
        "timing_ms": dict(observations.timing_ms),
    }


def _detected(observations: Observations) -> dict[str, Any]:
    """What a box detector adds: ``boxes`` if it saw any, and ``calibrated`` where it is not."""
    boxes = [
        {"t_s": round(seen.t_s, 3), "label": seen.label, "confidence": seen.confidence, "box": _box(seen.box)}
        for seen in observations.boxes
    ]
    return {**({} if observations.calibrated else {"calibrated": False}), **({"boxes": boxes} if boxes else {})}


def _box(box: Box) -> list[float]:
    return [round(value, 1) for value in (box.x, box.y, box.w, box.h)]


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _print_table(result: dict[str, Any]) -> None:
    if "error" in result:
        click.echo(f"{result['file']}: {result['error']['type']}: {result['error']['message']}", err=True)
        return
    tracks = {face["track"] for face in result["faces"]}
    click.echo(
        f"{result['file']}: {result['verdict']}  violence {result['violence']['probability']:.3f}  "
        f"{result['duration_s']:.1f} s  {len(tracks)} face track{'s' if len(tracks) != 1 else ''}  "
        f"{result['timing_ms']['total']:.0f} ms"
        + ("" if result["violence"].get("calibrated", True) else "  (detector not calibrated: no report on it)")
    )
    for finding in result["findings"]:
        click.echo(
            f"    {finding['kind']}  {finding['start_s']:.1f}-{finding['end_s']:.1f} s  "
            f"confidence {finding['confidence']:.3f}  {finding['verdict']}"
        )
