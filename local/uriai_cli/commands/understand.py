"""`uriai understand`: what the chatbot makes of a text, without the cloud."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click


def zone(_ctx: click.Context, _param: click.Parameter, value: str) -> ZoneInfo:
    """Read the name of a time zone."""
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise click.BadParameter(f"{value!r} is no time zone; for example Asia/Seoul") from error


def instant(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """Read an ISO 8601 instant; one without an offset is meant in the zone of --tz."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no instant; for example 2026-07-22T14:00:00+09:00") from error
    if not 2000 <= at.year <= 2100:
        raise click.BadParameter(f"{value!r} has to be in the years 2000 to 2100")
    return at


@click.command()
@click.argument("text")
@click.option("--now", callback=instant, metavar="ISO8601", help="When it is asked.  [default: now]")
@click.option("--tz", "tz", default="Asia/Seoul", show_default=True, callback=zone, help="The centre's time zone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(text: str, now: datetime | None, tz: ZoneInfo, as_json: bool) -> None:
    """Tell what the chatbot makes of TEXT: intent, range, centre, cameras, kinds, number. "-": each line of stdin."""
    from uriai.domain.utterance.understand import understand

    at = datetime.now(tz) if now is None else now.replace(tzinfo=tz) if now.tzinfo is None else now.astimezone(tz)
    for line in _lines(text):
        made = understand(line, at)
        click.echo(json.dumps(made.as_dict(), ensure_ascii=False) if as_json else _told(made.as_dict(), made.problem))


def _lines(text: str) -> Iterable[str]:
    """The text, or each line of stdin; bytes that are no UTF-8 do not stop the others."""
    if text != "-":
        yield text
        return
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _told(made: dict[str, Any], problem: object) -> str:
    span = made["range"]
    parts = [
        f"{made['text']!r}: {made['intent']}",
        f"{span['start']} until {span['end']}" if span else "",
        f"centre {made['centre']!r}" if made["centre"] else "",
        f"cameras {', '.join(map(str, made['cameras']))}" if made["cameras"] else "",
        ", ".join(made["kinds"]),
        f"incident {made['number']}" if made["number"] else "",
        f"not understood: {problem}" if problem else "",
    ]
    return "; ".join(part for part in parts if part)
