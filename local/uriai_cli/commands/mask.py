"""`uriai mask`: a copy of a video in which nobody's face can be seen."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from uriai.adapters.vision.masked_copy import OnnxClipMasker
from uriai.service.ports.masking import NoSuchTrack, NotWritten
from uriai.service.ports.vision import NotAVideo
from uriai_cli.errors import CliError
from uriai_cli.vision import error_object, models_option, print_json, refusals_told, threads_option


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--except-track",
    type=click.IntRange(1),
    metavar="N",
    help="Leave the person with this number visible; the report of a copy without it says who has which.",
)
@click.option("--report", "report_file", type=click.Path(path_type=Path), help="Write the whole report to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as one JSON object.")
@models_option
@threads_option
def command(
    source: Path,
    target: Path,
    except_track: int | None,
    report_file: Path | None,
    as_json: bool,
    models_folder: Path,
    threads: int,
) -> None:
    """Copy the video IN to OUT (a new .mp4) with every face covered, without sound and without metadata.

    IN stays as it is. Look at the copy before you hand it on, at least at the frames that the report names: a face
    that is never found is not covered.
    """
    _check_paths(source, target, report_file)
    with refusals_told():
        masker = OnnxClipMasker.from_folder(models_folder, threads)
    try:
        report = masker.mask(source, target, except_track)
    except NotAVideo as error:
        _fail(source, error.reason_code, error.message, as_json)
    except NoSuchTrack as error:
        raise CliError(f"--except-track: {error}", exit_code=2) from error
    except FileExistsError as error:
        raise CliError(f"{target} appeared meanwhile: it is left as it is, give the copy another name") from error
    except NotWritten as error:
        _fail(source, "not_written", str(error), as_json)
    except IsADirectoryError:
        _fail(source, "not_a_file", "this is a folder: name a file in it", as_json)
    except OSError as error:
        _fail(source, "unreadable", f"the file cannot be read: {error.strerror}", as_json)
    else:
        described = {"file": str(source), "out": str(target), **report.as_object()}
        if report_file is not None:
            report_file.write_text(json.dumps(described, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        if as_json:
            print_json(described)
        else:
            _print_summary(described)


def _check_paths(source: Path, target: Path, report_file: Path | None) -> None:
    """What can be known to be wrong before any work is done is wrong usage."""
    if not source.exists():
        raise CliError(f"{source}: there is no such file", exit_code=1)
    if target.exists():
        same = target.samefile(source)
        raise CliError(
            f"{target} is the original: give the copy another name"
            if same
            else f"{target} exists already: remove it or give the copy another name",
            exit_code=2,
        )
    if target.suffix.lower() != ".mp4":
        raise CliError(f"{target}: the copy is an MP4, give it a name that ends with .mp4", exit_code=2)
    for path in (target, report_file):
        if path is not None and not path.absolute().parent.is_dir():
            raise CliError(f"{path}: there is no folder {path.parent}", exit_code=2)
    if report_file is not None and (report_file.exists() or report_file.absolute() == target.absolute()):
        raise CliError(f"--report {report_file}: there is such a file, or it is OUT: give another name", exit_code=2)


def _fail(source: Path, kind: str, message: str, as_json: bool) -> None:
    if as_json:
        print_json(error_object(source, kind, message))
    click.echo(f"{source}: {kind}: {message}", err=True)
    sys.exit(1)


def _print_summary(described: dict[str, Any]) -> None:
    covered = sum(count > 0 for count in described["covered"])
    people = [track for track in described["tracks"] if track["masked"]]
    click.echo(
        f"{described['out']}: {described['frames']} frames, {described['duration_s']:.1f} s, something covered on "
        f"{covered} of them, {len(people)} track{'s' if len(people) != 1 else ''}"
        + (", sound removed" if described["sound_removed"] else "")
    )
    if not covered:
        click.echo("    nobody was found: nothing is covered, look at the whole copy before you hand it on")
    for track in described["tracks"]:
        best = track["best"]
        click.echo(
            f"    track {track['track']}: {track['first_s']:.1f}-{track['last_s']:.1f} s, best seen at "
            f"{best['t_s']:.1f} s in {best['box']}" + ("" if track["masked"] else "  LEFT VISIBLE")
        )
    for doubtful in described["look_at"]:
        click.echo(
            f"    look at frame {doubtful['frame']} ({doubtful['t_s']:.2f} s): track {doubtful['track']} "
            f"{doubtful['reason']}"
        )
