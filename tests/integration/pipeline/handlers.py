"""Calls handlers as Lambda does: a fresh module per container, SQS events, a context."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tests.unit.pipeline.fakes import NOON

FUNCTIONS = Path(__file__).resolve().parents[3] / "functions"
MODELS = {
    role: {"name": role, "version": "1", "sha256": digit * 64}
    for role, digit in (("violence", "1"), ("face", "2"), ("emotion", "3"), ("person", "4"), ("age", "5"))
}


@dataclass
class Context:
    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:ap-northeast-2:123456789012:function:function"
    aws_request_id: str = "request"
    remaining_ms: int = 55_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def function(name: str) -> ModuleType:
    """A freshly started container's module."""
    spec = importlib.util.spec_from_file_location(f"function_{name}", FUNCTIONS / name / "app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def message(*keys: str, body: str | None = None) -> dict[str, object]:
    at = NOON.isoformat()
    records = [{"eventName": "ObjectCreated:Put", "eventTime": at, "s3": {"object": {"key": key}}} for key in keys]
    return {
        "Records": [
            {
                "messageId": "m1", "receiptHandle": "r", "body": body or json.dumps({"Records": records}),
                "attributes": {}, "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:ap-northeast-2:123456789012:q", "awsRegion": "ap-northeast-2",
            }
        ]
    }  # fmt: skip


def secret(password: str) -> str:
    return json.dumps({"username": "app", "password": password})
