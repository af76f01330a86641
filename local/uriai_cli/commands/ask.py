"""`uriai ask`: a question to the deployed chatbot."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any

import click

from uriai_cli.commands.understand import instant
from uriai_cli.errors import CliError

TIMEOUT_S = 60


@click.command()
@click.argument("text")
@click.option(
    "--as", "person", required=True, metavar="PERSON", help="Whose bearer token to use: a name from `uriai people`."
)
@click.option("--lang", type=click.Choice(["ko", "en"]), help="Language of the answer.  [default: that of TEXT]")
@click.option("--now", callback=instant, metavar="ISO8601", help="When it is asked.  [default: now]")
@click.option(
    "--conversation",
    metavar="NAME",
    help="Go on with what was asked under this name in the last 30 minutes.  [default: the question stands alone]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as one JSON object.")
def command(
    text: str, person: str, lang: str | None, now: datetime | None, conversation: str | None, as_json: bool
) -> None:
    """Ask the deployed chatbot TEXT as PERSON and print its answer."""
    from uriai_cli import tokens
    from uriai_cloud import state

    token = tokens.token_of(person)
    if token is None:
        raise CliError(
            f"no token of {person} is known here: run `uriai people add {person} …` or `uriai people token {person}`"
        )
    answer = ask(state.load().api_url, token, text, lang=lang, now=now, conversation=conversation)
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(answer["reply"])
    for card in answer["cards"]:
        click.echo(f"\n{card['title']}\n{card['text']}\n{card['link']}")


def ask(
    api_url: str,
    token: str,
    text: str,
    *,
    lang: str | None = None,
    now: datetime | None = None,
    conversation: str | None = None,
) -> dict[str, Any]:
    """POST a question to ``api_url``/v1/ask and return the answer's JSON object.

    Raises
    ------
    CliError
        If the token is refused, or the chatbot does not answer.
    """
    body: dict[str, str] = {"text": text}
    if lang:
        body["language"] = lang
    if now:
        body["now"] = now.isoformat()
    if conversation:
        body["conversation"] = conversation
    request = urllib.request.Request(  # noqa: S310 - the address is the local cloud's own
        f"{api_url.rstrip('/')}/v1/ask",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        said = error.read(500).decode("utf-8", "replace")
        if error.code == 401:
            raise CliError("the chatbot refuses this token: get a new one with `uriai people token NAME`") from error
        raise CliError(f"the chatbot answered {error.code}: {said}; see `uriai logs chatbot`") from error
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        raise CliError(f"the chatbot at {api_url} does not answer ({error}): see `uriai status`") from error
