"""What the cloud on one machine is doing, as one object that prints as JSON."""

from __future__ import annotations

import json
from typing import Any

from uriai_cloud import mariadb, ministack, ports, state
from uriai_cloud.errors import CloudNotRunning
from uriai_cloud.home import Home


def gather() -> dict[str, Any]:
    """Return services with pids and ports; while they run also queue depths, functions, models and how many clips."""
    home = Home.from_environment()
    report: dict[str, Any] = {
        "running": False,
        "home": str(home.path),
        "services": {
            service.name: {"pid": service.pid(), "port": ports.remembered(home, service.name)}
            for service in (ministack.service(home), mariadb.service(home))
        },
    }
    try:
        cloud = state.load()
    except CloudNotRunning:
        return report
    sqs, functions, s3 = cloud.client("sqs"), cloud.client("lambda"), cloud.client("s3")
    described = {
        name: functions.get_function_configuration(FunctionName=arn) for name, arn in sorted(cloud.functions.items())
    }
    model_set = described["analyze"]["Environment"]["Variables"].get("MODEL_SET", "{}")
    return report | {
        "running": True,
        "endpoint_url": cloud.endpoint_url,
        "api_url": cloud.api_url,
        "queues": {
            "analyze": _depth(sqs, cloud.queue_url),
            "analyze dead letters": _depth(sqs, cloud.dead_letter_queue_url),
            "records": _depth(sqs, cloud.records_queue_url),
            "records dead letters": _depth(sqs, cloud.records_dead_letter_queue_url),
        },
        "functions": {
            name: {
                "runtime": function["Runtime"],
                "memory_mb": function["MemorySize"],
                "timeout_s": function["Timeout"],
                "modified": function["LastModified"],
            }
            for name, function in described.items()
        },
        "models": {role: f"{model['name']}@{model['version']}" for role, model in json.loads(model_set).items()},
        "clips": sum(
            item["Key"].endswith(".mp4")
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=cloud.clips_bucket, Prefix="clips/")
            for item in page.get("Contents", [])
        ),
    }


def _depth(sqs: Any, url: str) -> dict[str, int]:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return {"waiting": int(found[names[0]]), "in_work": int(found[names[1]])}
