"""Which roles may do what to incidents and thresholds. A centre never judges itself: directors are in none of these."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from uriai.domain.words import Role, Status


class Act(StrEnum):
    """What somebody does. The values stand in messages."""

    DECIDE = "decide on an incident"
    DISPATCH = "say that the police went"
    CLOSE = "close an incident"
    RESOLVE = "resolve a tamper incident"
    WITHHOLD = "withhold an incident from the director"
    SET_THRESHOLD = "set a threshold"
    BUNDLE = "make a bundle for the police"


ALLOWED: Mapping[Act, frozenset[Role]] = {
    Act.DECIDE: frozenset({Role.EXPERT, Role.OPERATOR}),
    Act.DISPATCH: frozenset({Role.POLICE_LIAISON, Role.OPERATOR}),
    Act.CLOSE: frozenset({Role.POLICE_LIAISON, Role.OPERATOR}),
    Act.RESOLVE: frozenset({Role.POLICY_OFFICER, Role.OPERATOR}),
    Act.WITHHOLD: frozenset({Role.EXPERT, Role.POLICY_OFFICER, Role.OPERATOR}),
    Act.SET_THRESHOLD: frozenset({Role.POLICY_OFFICER, Role.OPERATOR}),
    Act.BUNDLE: frozenset({Role.EXPERT, Role.POLICE_LIAISON, Role.OPERATOR}),
}

ACT_OF: Mapping[Status, Act] = {
    Status.REPORTED: Act.DECIDE,
    Status.DISMISSED: Act.DECIDE,
    Status.DISPATCHED: Act.DISPATCH,
    Status.CLOSED: Act.CLOSE,
    Status.RESOLVED: Act.RESOLVE,
}
"""What bringing an incident into a status is."""
