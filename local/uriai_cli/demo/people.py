"""The two who ask in the demo: the centre's director and the region's policy officer."""

from __future__ import annotations

from dataclasses import dataclass

from uriai.adapters.database.centres import ensure_region, find_centre
from uriai.adapters.database.people import SqlPeople
from uriai.domain.person import Language
from uriai.domain.words import Role
from uriai.service.enrol_person import enrol_person, new_token
from uriai.service.ports.chat import NewPerson
from uriai.service.ports.clock import SystemClock
from uriai_cli import tokens
from uriai_cli.commands.ask import ask
from uriai_cli.database import cloud_database
from uriai_cli.demo.site import CENTRE
from uriai_cloud.state import CloudState

DIRECTOR = "demo-director"
OFFICER = "demo-officer"
_ACTOR = "uriai demo"


@dataclass(frozen=True, slots=True)
class Reply:
    """The chatbot's text, the numbers of the incidents it named, and one-time links to masked pictures."""

    text: str
    numbers: tuple[int, ...]
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody with a bearer token, asking the deployed chatbot over HTTP."""

    api_url: str
    token: str

    def ask(self, text: str, language: str) -> Reply:
        """Ask, and wait for the answer.

        Raises
        ------
        CliError
            If the chatbot does not answer.
        """
        answer = ask(self.api_url, self.token, text, lang=language)
        return Reply(
            answer["reply"],
            tuple(incident["number"] for incident in answer["incidents"]),
            tuple(card["link"] for card in answer["cards"] if card["link"]),
        )

    def __repr__(self) -> str:
        return f"Asker(api_url={self.api_url!r})"


def ensure_askers(cloud: CloudState) -> tuple[Asker, Asker]:
    """Enter director and officer of the demo's centre, or find them again; return who can ask as each."""
    with cloud_database() as database:
        centre_id = database.run(lambda cursor: find_centre(cursor, CENTRE.name))
        region_id = database.run(
            lambda cursor: ensure_region(cursor, CENTRE.province, CENTRE.district, CENTRE.neighbourhood)
        )
        people = SqlPeople(database)
        wanted = (
            NewPerson(DIRECTOR, Role.DIRECTOR, Language.KOREAN, centres=(centre_id,)),
            NewPerson(OFFICER, Role.POLICY_OFFICER, Language.ENGLISH, regions=(region_id,)),
        )
        return _asker(cloud, people, wanted[0]), _asker(cloud, people, wanted[1])


def _asker(cloud: CloudState, people: SqlPeople, wanted: NewPerson) -> Asker:
    person = people.named(wanted.name)
    token = tokens.token_of(wanted.name) if person is not None else None
    if token is None:
        clock = SystemClock()
        token = (
            enrol_person(wanted, people, clock, _ACTOR).token
            if person is None
            else new_token(person, people, clock, _ACTOR)
        )
        tokens.note(wanted.name, token)
    return Asker(cloud.api_url, token)
