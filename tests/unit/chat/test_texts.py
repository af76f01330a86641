"""The catalogue of what the chatbot says."""

from __future__ import annotations

import string
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from uriai.domain.person import Language
from uriai.domain.utterance.calendar import Range
from uriai.domain.utterance.intents import Intent
from uriai.domain.utterance.problems import Problem
from uriai.domain.words import Kind, Status
from uriai.service import texts

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 7, 22, 14, 20, tzinfo=SEOUL)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert texts.keys(Language.KOREAN) == texts.keys(Language.ENGLISH)


@pytest.mark.parametrize("key", sorted(texts.keys(Language.KOREAN)))
def test_both_languages_have_the_same_placeholders(key: str) -> None:
    korean, english = (texts.template(language, key) for language in (Language.KOREAN, Language.ENGLISH))
    assert placeholders(korean) == placeholders(english)
    assert korean.strip() == korean
    assert english.strip() == english


@pytest.mark.parametrize("language", Language)
def test_every_word_of_the_domain_has_a_name(language: Language) -> None:
    for kind in Kind:
        assert texts.kind_name(language, kind)
    for status in Status:
        assert texts.status_name(language, status)
        assert texts.template(language, f"meaning_{status.value}")
    for problem in Problem:
        assert texts.template(language, f"problem_{problem.value}")
    assert {intent.value for intent in Intent} >= {"masked_copy", "trend"}


def test_english_texts_hold_no_hangul_and_korean_sentences_are_polite() -> None:
    for key in texts.keys(Language.ENGLISH):
        assert not any("가" <= character <= "힣" for character in texts.template(Language.ENGLISH, key)), key
        korean = texts.template(Language.KOREAN, key)
        for sentence in korean.split("\n")[0].split(". "):
            if sentence.endswith("."):
                assert sentence.endswith(
                    ("니다.", "세요.", "시오.", "까요.", "다).", "요.", "}.", "%).", "({kinds}).")
                ), (
                    key,
                    sentence,
                )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("샛별은/는", "샛별은"),
        ("하나은/는", "하나는"),
        ("'샛별'을/를", "'샛별'을"),
        ("'하나'을/를", "'하나'를"),
        ("샛별(분당)이/가", "샛별(분당)이"),
        ("3은/는", "3은"),
        ("2은/는", "2는"),
        ("샛별으로/로", "샛별로"),
        ("집으로/로", "집으로"),
        ("하나으로/로", "하나로"),
        ("Saetbyeol을/를", "Saetbyeol을"),
        ("Haneul과/와", "Haneul과"),
        ("Nara과/와", "Nara와"),
    ],
)
def test_a_particle_follows_the_sound_before_it(text: str, read: str) -> None:
    assert texts.with_particles(text) == read


def span(start: str, end: str, zone: str = "Asia/Seoul") -> Range:
    return Range(*(datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone)) for at in (start, end)))


@pytest.mark.parametrize(
    ("start", "end", "korean", "english"),
    [
        ("2026-07-22", "2026-07-23", "7월 22일 00:00-24:00 KST", "July 22, 00:00-24:00 KST"),
        ("2026-07-21T14:00", "2026-07-21T16:30", "7월 21일 14:00-16:30 KST", "July 21, 14:00-16:30 KST"),
        (
            "2026-07-21T18:00",
            "2026-07-22T06:00",
            "7월 21일 18:00 ~ 7월 22일 06:00 KST",
            "July 21 18:00 to July 22 06:00 KST",
        ),
        ("2026-07-13", "2026-07-20", "7월 13일 00:00 ~ 7월 19일 24:00 KST", "July 13 00:00 to July 19 24:00 KST"),
        ("2025-12-31", "2026-01-01", "2025년 12월 31일 00:00-24:00 KST", "December 31, 2025, 00:00-24:00 KST"),
        (
            "2025-12-30",
            "2026-01-03",
            "2025년 12월 30일 00:00 ~ 2026년 1월 2일 24:00 KST",
            "December 30, 2025 00:00 to January 2, 2026 24:00 KST",
        ),
    ],
)
def test_a_range_is_echoed_as_it_was_understood(start: str, end: str, korean: str, english: str) -> None:
    assert texts.range_text(Language.KOREAN, span(start, end), NOW) == korean
    assert texts.range_text(Language.ENGLISH, span(start, end), NOW) == english


def test_a_day_on_which_clocks_change_names_both_zones() -> None:
    told = texts.range_text(Language.ENGLISH, span("2026-11-01", "2026-11-02", "America/New_York"), NOW)
    assert told == "November 1, 00:00-24:00 EDT/EST"
