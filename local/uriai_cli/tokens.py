"""The bearer tokens of people made on this machine: people.json beside the local cloud's state, for its owner only."""

from __future__ import annotations

from uriai_cloud.home import Home, read_json, write_json

NAME = "people.json"


def note(name: str, token: str) -> None:
    """Keep a person's token."""
    home = Home.from_environment()
    write_json(home.path / NAME, read_json(home.path / NAME) | {name: token})


def forget(name: str) -> None:
    """Drop a person's token."""
    home = Home.from_environment()
    kept = {person: token for person, token in read_json(home.path / NAME).items() if person != name}
    write_json(home.path / NAME, kept)


def token_of(name: str) -> str | None:
    """A person's token, None if it is not known here."""
    token = read_json(Home.from_environment().path / NAME).get(name)
    return token if isinstance(token, str) else None
