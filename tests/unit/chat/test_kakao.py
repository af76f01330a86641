"""The form of Kakao's skill responses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from uriai.adapters.chat import kakao
from uriai.adapters.chat.http import BadRequestError, json_object, same_secret
from uriai.domain.person import Language
from uriai.domain.utterance.understand import understand
from uriai.service.dialogue import Answer, Card

SAID = understand("어제", datetime(2026, 7, 22, tzinfo=UTC))


def card(number: int) -> Card:
    return Card(
        f"샛별어린이집 {number}번 · 신체학대", "3번 카메라", f"https://x/{number}/a", f"https://x/{number}/b", number
    )


def test_a_long_answer_is_cut_at_a_line_within_the_limit() -> None:
    text = "\n".join(f"{number}번 사건 신체학대 3번 카메라" for number in range(200))
    sent = kakao.write(Answer(Language.KOREAN, text, SAID))["template"]["outputs"][0]["simpleText"]["text"]
    assert len(sent) <= 1000
    assert sent.endswith("카메라…")


def test_one_picture_is_a_card_and_several_are_a_carousel() -> None:
    one = kakao.write(Answer(Language.KOREAN, "1건", SAID, cards=(card(1),)))["template"]["outputs"][1]
    assert one["basicCard"]["thumbnail"] == {"imageUrl": "https://x/1/a"}
    assert one["basicCard"]["buttons"] == [{"action": "webLink", "label": "사진 보기", "webLinkUrl": "https://x/1/b"}]
    two = kakao.write(Answer(Language.KOREAN, "2건", SAID, cards=(card(1), card(2))))["template"]["outputs"][1]
    assert two["carousel"]["type"] == "basicCard"
    assert len(two["carousel"]["items"]) == 2


def test_labels_titles_and_the_number_of_replies_keep_to_the_limits() -> None:
    long = Card("가" * 200, "나" * 500, "https://x/a", "https://x/b", 1)
    sent = kakao.write(Answer(Language.ENGLISH, "x", SAID, cards=(long,), suggestions=("s" * 60,) * 30))["template"]
    assert len(sent["outputs"][1]["basicCard"]["title"]) <= 50
    assert len(sent["outputs"][1]["basicCard"]["description"]) <= 230
    assert len(sent["quickReplies"]) == 10
    assert all(len(reply["label"]) <= 14 for reply in sent["quickReplies"])
    assert sent["quickReplies"][0]["messageText"] == "s" * 60


def test_an_empty_secret_matches_nothing() -> None:
    assert not same_secret("", "")
    assert not same_secret(None, "")
    assert not same_secret(None, "secret")
    assert same_secret("secret", "secret")


def test_a_body_of_64_kib_is_read_and_a_larger_one_is_not() -> None:
    assert json_object(b'{"a": "' + b"x" * (64 * 1024 - 9) + b'"}')
    with pytest.raises(BadRequestError, match="65536 bytes"):
        json_object(b'{"a": "' + b"x" * (64 * 1024 - 8) + b'"}')
