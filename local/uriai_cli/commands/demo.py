"""`uriai demo`: the main job end to end, from a camera to the chatbot's answer."""

from __future__ import annotations

import json
import sys

import click

from uriai_cli.progress import printer


@click.command()
@click.option(
    "--source", metavar="FILE|rtsp://…|webcam:0", help="What the camera sees; without it a rendered playroom."
)
@click.option("--exit", "stop_after", is_flag=True, help="Stop the local cloud at the end; without it you can ask on.")
@click.option("--json", "as_json", is_flag=True, help="Last line: incident, answers and seconds as one JSON object.")
def command(source: str | None, stop_after: bool, as_json: bool) -> None:
    """Run agent, S3, Lambda, MariaDB and chatbot on one camera, and print each step as it happens.

    Exits with 0 only if a clip became an incident and the chatbot told of it.
    """
    from uriai_cli.demo.run import run_demo
    from uriai_cloud.up import down

    tell = printer()
    try:
        result = run_demo(source, tell)
    finally:
        if stop_after:
            down(tell)
    incident = result.incident
    if as_json:
        click.echo(
            json.dumps(
                {
                    "incident": None
                    if incident is None
                    else {
                        "number": incident.number,
                        "kind": incident.kind,
                        "verdict": incident.verdict,
                        "status": incident.status,
                        "camera": incident.camera,
                        "started_at": incident.started_at.isoformat(),
                        "ended_at": incident.ended_at.isoformat(),
                        "confidence": round(incident.confidence, 4),
                        "key_frame": incident.key_frame,
                    },
                    "answers": {language: reply.text for language, reply in result.answers.items()},
                    "seconds": result.seconds,
                },
                ensure_ascii=False,
            )
        )
    else:
        for language, who in (("ko", "원장"), ("en", "policy officer")):
            click.echo(f"\n{who}: {result.questions[language]}")
            reply = result.answers[language]
            click.echo("\n".join(f"  {line}" for line in reply.text.splitlines()))
            for link in reply.pictures:
                click.echo(f"  masked picture, opens once: {link}")
        click.echo("\nSeconds: " + ", ".join(f"{name} {value}" for name, value in result.seconds.items()))
        if not stop_after:
            click.echo(
                'Ask on:  .venv/bin/uriai ask "어제 무슨 일 있었어?" --as demo-director\n'
                '         .venv/bin/uriai ask "incidents today at camera 1" --as demo-officer --lang en\n'
                "Look:    .venv/bin/uriai status      Stop: .venv/bin/uriai down"
            )
    if incident is None:
        click.echo(f"uriai: no clip became an incident ({result.clips} analysed)", err=True)
    elif not result.told:
        click.echo(f"uriai: the chatbot did not tell of incident {incident.number}: see `uriai logs chatbot`", err=True)
    if incident is None or not result.told:
        sys.exit(1)
