"""`uriai status`: what runs, what waits, what was found, what failed."""

from __future__ import annotations

import importlib
import importlib.util
import json
from typing import Any

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> None:
    """Show the services, the queues, the functions and the rows of the cloud on one machine.

    Exit code 1 when it is not running.
    """
    from uriai_cloud import status

    report = status.gather()
    if report["running"]:
        report["rows"] = _rows()
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False, default=str))
    else:
        _show(report)
    if not report["running"]:
        raise SystemExit(1)


def _rows() -> Any:
    """Return what the module of rows has to say about the database, None if this installation has no such module."""
    if importlib.util.find_spec("uriai_cli.status_rows") is None:
        return None
    from uriai_cloud import state

    module = importlib.import_module("uriai_cli.status_rows")
    connection = state.load().connect()
    try:
        return module.rows(connection)
    finally:
        connection.close()


def _show(report: dict[str, Any]) -> None:
    click.echo("services")
    for name, service in report["services"].items():
        where = f"127.0.0.1:{service['port']}  pid {service['pid']}" if service["pid"] else "stopped"
        click.echo(f"  {name:<12} {where}")
    if not report["running"]:
        click.echo("The cloud is not running: run `uriai up`.")
        return
    click.echo("queues                 waiting  in work")
    for name, queue in report["queues"].items():
        click.echo(f"  {name:<20} {queue['waiting']:>7}  {queue['in_work']:>7}")
    click.echo("functions")
    for name, function in report["functions"].items():
        click.echo(f"  {name:<14} {function['runtime']}  {function['memory_mb']} MB  {function['timeout_s']} s")
    click.echo(f"clips in the bucket: {report['clips']}   models: {', '.join(report['models']) or 'none'}")
    rows = report.get("rows")
    if rows is not None:
        importlib.import_module("uriai_cli.status_rows").show(rows)
