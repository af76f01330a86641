"""Who gets an answer from the deployed chatbot."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from uriai_cloud.state import CloudState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"} | headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}])
def test_without_the_right_token_there_is_401_and_nothing_else(cloud: CloudState, headers: dict[str, str]) -> None:
    body = json.dumps({"text": "오늘 무슨 일 있었어?"}).encode()
    status, answer = post(f"{cloud.api_url}/v1/ask", body, headers)
    assert status == 401
    assert json.loads(answer) == {"message": "Unauthorized"}


def test_a_webhook_call_without_the_secret_header_is_refused(cloud: CloudState) -> None:
    body = json.dumps({"userRequest": {"utterance": "오늘", "user": {"id": "u"}}, "bot": {"id": "local-bot"}}).encode()
    status, answer = post(f"{cloud.api_url}/webhooks/kakao", body, {})
    assert status in {401, 403}
    assert b"incident" not in answer


def test_an_evidence_link_that_was_never_made_is_not_found(cloud: CloudState) -> None:
    request = urllib.request.Request(f"{cloud.api_url}/v1/evidence/{'A' * 43}")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    assert refused.value.code == 404
