"""Brings the schema up to date: invoked with ``{}``, or by CloudFormation as a custom resource at every deployment."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from uriai import bootstrap
from uriai.adapters.database.migrate import migrate
from uriai.settings import Settings

logger = Logger()
tracer = Tracer()

PHYSICAL_ID = "uriai-schema"


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, object]:
    """Migrate; answer ``{"applied": […], "version": N}``, and CloudFormation at its ResponseURL if it asked."""
    if "ResponseURL" not in event:
        return _migrate()
    try:
        # deleting the stack leaves the data alone
        outcome = {"version": ""} if event.get("RequestType") == "Delete" else _migrate()
    except Exception as error:
        # CloudFormation waits an hour for an answer that never comes: whatever went wrong has to reach it
        logger.exception("migration failed")
        _answer(event, "FAILED", f"{type(error).__name__}: {error}", {})
        raise
    _answer(event, "SUCCESS", "", {"Version": str(outcome["version"])})
    return outcome


def _migrate() -> dict[str, object]:
    database = bootstrap.database(Settings.from_environment())
    try:
        outcome = migrate(database.connection())
    finally:
        database.close()
    logger.info("schema is up to date", extra={"applied": list(outcome.applied), "version": outcome.version})
    return {"applied": list(outcome.applied), "version": outcome.version}


def _answer(event: dict[str, Any], status: str, reason: str, data: dict[str, str]) -> None:
    """PUT the outcome to CloudFormation's presigned URL, as its custom resources have to."""
    url = str(event["ResponseURL"])
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise ValueError("ResponseURL is neither https nor on this machine: nothing was sent")
    body = json.dumps(
        {
            "Status": status,
            "Reason": reason[:1000],
            "PhysicalResourceId": PHYSICAL_ID,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": data,
        }
    ).encode()
    # an empty content type, because the URL is signed for one
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        url, data=body, method="PUT", headers={"Content-Type": "", "Content-Length": str(len(body))}
    )
    with urllib.request.urlopen(request, timeout=20):  # noqa: S310
        logger.info("answered CloudFormation", extra={"status": status})
