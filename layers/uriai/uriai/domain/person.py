"""Somebody who may ask, and in which language they are answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from uriai.domain.words import Role


class Language(StrEnum):
    """The languages of the answers."""

    KOREAN = "ko"
    ENGLISH = "en"


class Platform(StrEnum):
    """Messengers that a person can be known on."""

    KAKAO = "kakao"
    SLACK = "slack"
    TELEGRAM = "telegram"


@dataclass(frozen=True, slots=True)
class Person:
    """An enrolled person who is not disabled; the role and the rows of centres and regions decide what they may ask."""

    id: int
    name: str
    role: Role
    language: Language
