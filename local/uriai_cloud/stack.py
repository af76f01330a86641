"""The stack as CloudFormation has it: what it put out, why it failed, and how to go on after a failure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from uriai_cloud import ministack
from uriai_cloud.errors import DeployFailed

NAME = "uriai"
_WHOLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
_BROKEN = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
_BUCKETS = {
    "ClipsBucket": f"{NAME}-clips-{ministack.ACCOUNT}-{ministack.REGION}",
    "ModelsBucket": f"{NAME}-models-{ministack.ACCOUNT}-{ministack.REGION}",
    "ReceiptsBucket": f"{NAME}-receipts-{ministack.ACCOUNT}-{ministack.REGION}",
}
_PATIENCE = {"Delay": 1, "MaxAttempts": 120}


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: its outputs by name."""

    outputs: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        try:
            return self.outputs[name]
        except KeyError as error:
            raise DeployFailed(f"stack {NAME} has no output {name}: compare template.yaml, run `uriai up`") from error


def find(cloudformation: Any) -> Stack | None:
    """Return the deployed stack, None if there is none or it is not whole."""
    found = _describe(cloudformation)
    if found.get("StackStatus") not in _WHOLE:
        return None
    return Stack({output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])})


def make_way(cloudformation: Any, s3: Any, progress: Callable[[str], None]) -> None:
    """Clear up what would keep a deployment from beginning: a stack that was never whole, buckets without a stack."""
    if _describe(cloudformation).get("StackStatus") in _BROKEN:
        progress("removing what the failed first deployment left")
        cloudformation.delete_stack(StackName=NAME)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=NAME, WaiterConfig=_PATIENCE)
    _adopt_buckets(cloudformation, s3, progress)


def first_failure(cloudformation: Any) -> str:
    """Return what failed first in the deployment that has just ended, and why; empty if nothing says so."""
    try:
        events = cloudformation.describe_stack_events(StackName=NAME)["StackEvents"]
    except ClientError:
        return ""
    first = ""
    for event in events:  # newest first; the last deployment's end where its stack began to be made or updated
        status, what = event["ResourceStatus"], event["LogicalResourceId"]
        if status in {"CREATE_FAILED", "UPDATE_FAILED"}:
            first = f"{what}: {event.get('ResourceStatusReason', 'no reason given')}"
        if what == NAME and status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}:
            break
    return first


def _adopt_buckets(cloudformation: Any, s3: Any, progress: Callable[[str], None]) -> None:
    """Make a stack around buckets that outlived theirs.

    They do when ministack is killed: objects are written at once, stacks when it ends in good order. CloudFormation
    refuses to create a bucket that is there; it can import one.
    """
    there = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    orphans = {logical: name for logical, name in _BUCKETS.items() if name in there}
    if not orphans or _describe(cloudformation):
        return
    progress(f"taking over {' and '.join(orphans.values())} from before")
    resources = {
        logical: {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": name}}
        for logical, name in orphans.items()
    }
    imported = [
        {"ResourceType": "AWS::S3::Bucket", "LogicalResourceId": logical, "ResourceIdentifier": {"BucketName": name}}
        for logical, name in orphans.items()
    ]
    change = {"StackName": NAME, "ChangeSetName": "take-over"}
    cloudformation.create_change_set(
        **change,
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps({"Resources": resources}),
        ResourcesToImport=imported,
    )
    cloudformation.get_waiter("change_set_create_complete").wait(**change, WaiterConfig=_PATIENCE)
    cloudformation.execute_change_set(**change)
    cloudformation.get_waiter("stack_import_complete").wait(StackName=NAME, WaiterConfig=_PATIENCE)


def _describe(cloudformation: Any) -> dict[str, Any]:
    """Return the stack as CloudFormation describes it, empty if there is none."""
    try:
        return dict(cloudformation.describe_stacks(StackName=NAME)["Stacks"][0])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ValidationError":
            return {}
        raise
