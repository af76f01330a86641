"""`uriai logs`: what the functions log, as CloudWatch has it."""

from __future__ import annotations

import time
from typing import Any

import click


@click.command()
@click.argument("function", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until interrupted.")
@click.option(
    "-n", "--lines", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Last lines to begin with."
)
def command(function: str | None, follow: bool, lines: int) -> None:
    """Print the log of FUNCTION (analyze, dead_letters, records, watch, chatbot, migrate), or of all functions."""
    from uriai_cloud import state
    from uriai_cloud.errors import FunctionUnknown

    cloud = state.load()
    if function is not None and function.replace("-", "_") not in cloud.functions:
        raise FunctionUnknown(
            f"there is no function {function!r}: the functions are {', '.join(sorted(cloud.functions))}"
        )
    names = [function.replace("-", "_")] if function else sorted(cloud.functions)
    client = cloud.client("logs")
    groups = {name: f"/aws/lambda/{cloud.functions[name].rsplit(':', 1)[1]}" for name in names}
    seen: set[tuple[object, ...]] = set()
    since_ms = 0
    first = True
    while True:
        events = sorted(
            (
                (event["timestamp"], name, event)
                for name, group in groups.items()
                for event in _events(client, group, since_ms)
            ),
            key=lambda entry: entry[0],
        )
        fresh = [entry for entry in events if _identity(entry[2]) not in seen]
        for timestamp, name, event in fresh[-lines:] if first else fresh:
            prefix = f"{name}: " if len(groups) > 1 else ""
            at = time.strftime("%H:%M:%S", time.localtime(timestamp / 1000))
            click.echo(f"{at} {prefix}{event['message'].rstrip()}")
        seen.update(_identity(entry[2]) for entry in fresh)
        if not follow:
            return
        first = False
        # lines of one moment may still arrive: look a little back, what was seen is skipped
        since_ms = max([since_ms, *(entry[0] - 5_000 for entry in events)])
        time.sleep(1)


def _identity(event: dict[str, Any]) -> tuple[object, ...]:
    """Return what tells a line from others: AWS numbers them, ministack does not."""
    return event.get("eventId"), event.get("logStreamName"), event["timestamp"], event["message"]


def _events(client: Any, group: str, since_ms: int) -> list[dict[str, Any]]:
    try:
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since_ms)
        return [event for page in pages for event in page["events"]]
    except client.exceptions.ResourceNotFoundException:
        return []  # a function that has not run yet has no log
