"""What template.yaml promises beyond what a linter can see."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from uriai.service.deliver_message import LEASE, wait_s
from uriai_cloud.up import FUNCTIONS

ROOT = Path(__file__).resolve().parents[3]


class Loader(yaml.SafeLoader):
    pass


def _tagged(loader: Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix: value}


Loader.add_multi_constructor("!", _tagged)
TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), Loader=Loader)
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
SERVERLESS = {name: found for name, found in RESOURCES.items() if found["Type"] == "AWS::Serverless::Function"}


def allowed() -> list[tuple[str, dict[str, Any]]]:
    """Every Allow statement of a policy that belongs to a function or a gateway, with its owner."""
    found = []
    for name, resource in RESOURCES.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            statements = properties["PolicyDocument"]["Statement"]
        elif name in SERVERLESS:
            statements = [s for policy in properties["Policies"] if "Statement" in policy for s in policy["Statement"]]
        else:
            continue
        found += [(name, statement) for statement in statements if statement["Effect"] == "Allow"]
    return found


def test_every_function_has_its_folder_and_its_sample_event():
    assert set(SERVERLESS) == set(FUNCTIONS.values())
    for name, logical_id in FUNCTIONS.items():
        assert SERVERLESS[logical_id]["Properties"]["CodeUri"] == f"functions/{name}"
        assert (ROOT / "functions" / name / "app.py").is_file()
        assert (ROOT / "events" / f"{name}.json").is_file()


def test_only_analyze_carries_the_vision_layer():
    carriers = {name for name, found in SERVERLESS.items() if {"Ref": "VisionLayer"} in found["Properties"]["Layers"]}
    assert carriers == {"AnalyzeFunction"}


def test_only_mask_carries_the_media_layer_and_no_opencv_beside_it():
    carriers = {name for name, found in SERVERLESS.items() if {"Ref": "MediaLayer"} in found["Properties"]["Layers"]}
    assert carriers == {"MaskFunction"}
    assert "opencv" not in (ROOT / "layers" / "media" / "requirements.txt").read_text(encoding="utf-8")
    vision = (ROOT / "layers" / "vision" / "requirements.txt").read_text(encoding="utf-8")
    media = (ROOT / "layers" / "media" / "requirements.txt").read_text(encoding="utf-8")
    for package in ("numpy", "onnxruntime"):
        assert re.findall(rf"^{package}==\S+", media, re.MULTILINE) == re.findall(
            rf"^{package}==\S+", vision, re.MULTILINE
        ), f"{package} is another one where frames are analysed"


@pytest.mark.parametrize(
    ("owner", "statement"), allowed(), ids=lambda value: value if isinstance(value, str) else value["Sid"]
)
def test_no_permission_is_for_everything(owner, statement):
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    assert not [action for action in actions if "*" in action], f"{owner} may do more than it names"
    assert statement["Resource"] != "*", f"{owner} may do it to everything"


def test_the_chatbot_can_read_masked_pictures_only():
    readable = [s["Resource"] for owner, s in allowed() if owner == "ChatbotFunction" and s["Action"] == "s3:GetObject"]
    folder = "${ClipsBucket.Arn}/evidence/*"
    masked = [f"{folder}/key-frame{form}-masked.jpg" for form in ("", "-annotated")]
    assert readable == [[{"Sub": one} for one in (*masked, f"{folder}/masked-copy.mp4")]]


def test_nobody_in_the_cloud_may_change_a_clip_and_only_retention_may_delete_one():
    deleters = {}
    for owner, statement in allowed():
        actions = str(statement["Action"])
        if "Delete" in actions:
            deleters.setdefault(owner, []).append(statement)
        puts = set(re.findall(r"s3:PutObject\w*", actions))
        assert puts <= {"s3:PutObject", "s3:PutObjectLegalHold", "s3:PutObjectRetention"}, owner
        if "s3:PutObject" in puts and owner != "GatewayPolicy":
            where = str(statement["Resource"])
            stones = [{"Sub": f"${{ClipsBucket.Arn}}/{root}/*.tombstone"} for root in ("clips", "records")]
            foreign = "/clips/" not in where and "/records/" not in where
            assert foreign or (owner, statement["Resource"]) == ("RetentionFunction", stones), owner
    assert set(deleters) == {"RetentionFunction", "WatchFunction"}
    (letters,) = deleters["WatchFunction"]
    # dead letters that are on file, and no object
    assert letters["Action"] == ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
    assert [one["GetAtt"] for one in letters["Resource"]] == [
        f"Notify{medium}DeadLetterQueue.Arn" for medium in ("Slack", "Telegram", "Email", "Kakao")
    ]
    (statement,) = deleters["RetentionFunction"]
    assert statement["Action"] == "s3:DeleteObjectVersion"
    # never a manifest, a signature or a tombstone
    assert [one["Sub"] for one in statement["Resource"]] == [
        "${ClipsBucket.Arn}/clips/*.mp4", "${ClipsBucket.Arn}/evidence/*", "${ClipsBucket.Arn}/records/*.jpg"
    ]  # fmt: skip


def test_whoever_reads_clips_that_may_be_missing_is_told_that_they_are():
    # S3 answers 404 only to those who may list the bucket, and a read carries no s3:prefix that a condition could meet
    listers = {
        owner
        for owner, statement in allowed()
        if statement["Action"] == "s3:ListBucket"
        and statement["Resource"] == {"GetAtt": "ClipsBucket.Arn"}
        and "Condition" not in statement
    }
    assert listers == {
        "AnalyzeFunction", "DeadLettersFunction", "MaskFunction", "RecordsFunction", "RetentionFunction"
    }  # fmt: skip


def test_only_watch_may_hold_evidence_and_nobody_in_the_cloud_may_release_it():
    holders = []
    for owner, statement in allowed():
        actions = str(statement["Action"])
        assert "BypassGovernance" not in actions, owner
        if "LegalHold" in actions:
            holders.append(owner)
            assert statement["Action"] == "s3:PutObjectLegalHold"
            assert statement["Condition"] == {"StringEquals": {"s3:object-lock-legal-hold": "ON"}}
    assert holders == ["WatchFunction"]


def test_a_gateway_reaches_its_own_objects_only():
    for owner, statement in allowed():
        if owner == "GatewayPolicy" and "s3:PutObject" in str(statement["Action"]):
            for resource in statement["Resource"]:
                assert re.search(r"/(clips|records)/\$\{!aws:PrincipalTag/gateway\}/\*$", resource["Sub"])


def test_a_gateways_credentials_cannot_replace_an_object():
    (adds,) = [s for owner, s in allowed() if owner == "GatewayPolicy" and "s3:PutObject" in str(s["Action"])]
    assert adds["Action"] == "s3:PutObject", "the condition would keep it from reading"
    assert adds["Condition"] == {"Null": {"s3:if-none-match": "false"}}


def test_no_trace_keeps_the_url_that_opens_a_picture():
    assert RESOURCES["ChatApi"]["Properties"]["TracingEnabled"] is False
    assert TEMPLATE["Globals"]["Function"]["Tracing"] == "Active"


def tracer_options(name: str) -> list[dict[str, Any]]:
    """What each decorator of the function's tracer is given; one without parentheses is given nothing."""
    tree = ast.parse((ROOT / "functions" / name / "app.py").read_text(encoding="utf-8"))
    found = []
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", ()):
            call = decorator if isinstance(decorator, ast.Call) else None
            if ast.unparse(call.func if call else decorator).startswith("tracer.capture_"):
                keywords = call.keywords if call else ()
                found.append({keyword.arg: ast.literal_eval(keyword.value) for keyword in keywords})
    return found


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_no_trace_keeps_what_a_function_answers(name):
    assert all(options.get("capture_response") is False for options in tracer_options(name))


def test_no_trace_keeps_the_errors_of_whoever_holds_the_messengers_tokens():
    assert tracer_options("notify") == [{"capture_response": False, "capture_error": False}] * 2


ALARMED = {
    ("watch", "HoldsRefused"), ("watch", "MessagesFailed"), ("watch", "WatchUnfinished"),
    ("records", "RecordsFlagged"), ("retention", "DeletionsFailed"), ("retention", "RetentionUnfinished"),
    ("dead_letters", "CopiesGivenUp"),
}  # fmt: skip
"""Service and metric that say that somebody has to look."""
COUNTED = {
    ("watch", "GatewaysFellSilent"): "officers are told",
    ("watch", "CamerasWentDark"): "officers are told",
    ("watch", "DigestsQueued"): "work done",
    ("watch", "MessagesQueued"): "work done",
    ("watch", "MessagesDelivered"): "work done",
    ("notify", "MessagesPostponed"): "tried again for two hours; the queue's age has an alarm",
    ("notify", "Messages_"): "how each ended; what failed is counted by watch",
    ("records", "RecordsFiled"): "work done",
    ("retention", "ClipsExpired"): "work done",
    ("retention", "PicturesExpired"): "work done",
    ("analyze", "AttemptsFailed"): "tried again; what stays is a dead letter, whose queue has an alarm",
    ("analyze", "Clips_"): "how each ended; what failed is a row that uriai status shows",
    ("analyze", "ClipsUnverified"): "officers are told of a tamper incident",
    ("mask", "AttemptsFailed"): "tried again; what stays is a dead letter, which becomes CopiesGivenUp",
    ("mask", "Copies_"): "how each ended; whoever asked is told",
    ("answer", "QuestionsAnsweredLater"): "work done; what could not be is a dead letter, whose queue has an alarm",
    ("dead_letters", "ClipsGivenUp"): "a failed row that uriai status shows",
}
"""Every other one, and why nobody is alarmed."""


def metrics_of(name: str) -> set[tuple[str, str]]:
    """Service and name of each metric that a function makes; of a composed name the part that is fixed."""
    source = (ROOT / "functions" / name / "app.py").read_text(encoding="utf-8")
    return {(name, found) for found in re.findall(r"""add_metric\(\s*f?"(\w+)""", source)}


def test_every_metric_has_an_alarm_or_a_reason_for_having_none():
    made = set().union(*map(metrics_of, FUNCTIONS))
    assert made == ALARMED | set(COUNTED)
    assert ALARMED.isdisjoint(COUNTED)
    calls = sum((ROOT / "functions" / name / "app.py").read_text().count("add_metric(") for name in FUNCTIONS)
    assert calls == len(made), "one was not found by its name"


def alarms() -> dict[str, dict[str, Any]]:
    return {name: found["Properties"] for name, found in RESOURCES.items() if found["Type"] == "AWS::CloudWatch::Alarm"}


@pytest.mark.parametrize(("service", "metric"), sorted(ALARMED))
def test_what_says_that_somebody_has_to_look_has_an_alarm_that_can_ring(service, metric):
    (alarm,) = [found for found in alarms().values() if found["MetricName"] == metric]
    assert alarm["Namespace"] == TEMPLATE["Globals"]["Function"]["Environment"]["Variables"][
        "POWERTOOLS_METRICS_NAMESPACE"
    ]  # fmt: skip
    function = SERVERLESS[FUNCTIONS[service]]["Properties"]["Environment"]["Variables"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": function["POWERTOOLS_SERVICE_NAME"]}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


def test_every_alarm_tells_the_topic_that_was_given():
    action = {"If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    assert {name for name, found in alarms().items() if found.get("AlarmActions") != action} == set()


def test_every_queue_of_dead_letters_has_an_alarm():
    queues = {name for name, found in RESOURCES.items() if found["Type"] == "AWS::SQS::Queue"}
    watched = {
        found["Dimensions"][0]["Value"]["GetAtt"].removesuffix(".QueueName")
        for found in alarms().values()
        if found["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    assert watched == {name for name in queues if name.endswith("DeadLetterQueue")}


def test_a_round_of_watch_that_failed_is_not_begun_again_beside_the_next():
    assert SERVERLESS["WatchFunction"]["Properties"]["EventInvokeConfig"] == {"MaximumRetryAttempts": 0}


def test_a_message_outlasts_the_functions_timeout():
    shortest = TEMPLATE["Parameters"]["RetryAfterSeconds"]["MinValue"]
    assert shortest >= SERVERLESS["AnalyzeFunction"]["Properties"]["Timeout"]
    dead_letters = RESOURCES["AnalyzeDeadLetterQueue"]["Properties"]["VisibilityTimeout"]
    assert dead_letters >= TEMPLATE["Globals"]["Function"]["Timeout"] * 6


def test_mask_reads_clips_adds_copies_and_may_take_as_long_as_a_function_can():
    adds = [s for owner, s in allowed() if owner == "MaskFunction" and s["Action"] == "s3:PutObject"]
    assert [s["Resource"] for s in adds] == [
        [
            {"Sub": "${ClipsBucket.Arn}/evidence/*/masked-copy.mp4"},
            {"Sub": "${ClipsBucket.Arn}/evidence/*/masked-copy.json"},
        ]
    ]
    mask = SERVERLESS["MaskFunction"]["Properties"]
    assert mask["Timeout"] == 900
    assert mask["EphemeralStorage"]["Size"] >= 1024
    event = mask["Events"]["Jobs"]["Properties"]
    assert (event["BatchSize"], event["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])
    queue = RESOURCES["MaskQueue"]["Properties"]
    assert queue["VisibilityTimeout"] > mask["Timeout"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"GetAtt": "MaskDeadLetterQueue.Arn"}
    readers = [e["Properties"]["Queue"] for e in SERVERLESS["DeadLettersFunction"]["Properties"]["Events"].values()]
    assert {"GetAtt": "MaskDeadLetterQueue.Arn"} in readers


def test_whoever_answers_may_ask_for_masked_copies():
    for name in ("ChatbotFunction", "AnswerFunction"):
        assert SERVERLESS[name]["Properties"]["Environment"]["Variables"]["MASK_QUEUE_URL"] == {"Ref": "MaskQueue"}
        sends = [s["Resource"] for owner, s in allowed() if owner == name and s["Action"] == "sqs:SendMessage"]
        assert {"GetAtt": "MaskQueue.Arn"} in [
            one for many in sends for one in (many if isinstance(many, list) else [many])
        ]


def test_every_function_logs_into_a_group_that_forgets():
    for name, found in SERVERLESS.items():
        group = RESOURCES[found["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_clips_are_locked_versioned_encrypted_and_private():
    bucket = RESOURCES["ClipsBucket"]["Properties"]
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
    assert rule["SSEAlgorithm"] == "aws:kms"
    assert all(bucket["PublicAccessBlockConfiguration"].values())


def test_only_the_routes_of_the_design_are_open():
    events = SERVERLESS["ChatbotFunction"]["Properties"]["Events"].values()
    routes = {(event["Properties"]["Method"], event["Properties"]["Path"]) for event in events}
    assert routes == {
        ("POST", "/webhooks/kakao"),
        ("POST", "/webhooks/slack"),
        ("POST", "/webhooks/telegram"),
        ("POST", "/v1/ask"),
        ("GET", "/v1/evidence/{token}"),
        ("GET", "/v1/evidence/{token}/open"),
        ("POST", "/v1/evidence/{token}/open"),
        ("POST", "/v1/gateways/enrol"),
    }


@pytest.mark.parametrize(
    "lock",
    [
        "requirements/dev.txt",
        "requirements/sam.txt",
        "requirements/ministack.txt",
        "edge_agent/requirements.txt",
        "layers/uriai/requirements.txt",
        "layers/vision/requirements.txt",
        "layers/media/requirements.txt",
    ],
)
def test_a_lock_file_pins_every_package_by_hash_and_names_no_registry(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    packages = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9.-]+(\[[a-z0-9,-]+\])?==\S+", package), package.splitlines()[0]
        assert "--hash=sha256:" in package, package.splitlines()[0]
    assert "://" not in text
    assert "--index-url" not in text


def test_whoever_calls_the_internet_has_no_network_of_the_databases_and_knows_nothing_of_it():
    notify = SERVERLESS["NotifyFunction"]["Properties"]
    assert notify["VpcConfig"] == {"Ref": "AWS::NoValue"}
    told = {name for name, value in notify["Environment"]["Variables"].items() if value != {"Ref": "AWS::NoValue"}}
    assert told == {"POWERTOOLS_SERVICE_NAME", "RECEIPTS_BUCKET", "MESSAGING_SECRET_ARN", "EMAIL_FROM"}
    everybody = set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    kept = {"AWS_ENDPOINT_URL", "POWERTOOLS_METRICS_NAMESPACE", "LOG_LEVEL"}
    assert everybody - set(notify["Environment"]["Variables"]) == kept
    assert {"Ref": "DatabasePolicy"} not in notify["Policies"]
    for owner, statement in allowed():
        if owner == "NotifyFunction":
            assert "ClipsBucket" not in str(statement["Resource"])
    for name, function in SERVERLESS.items():
        if name != "NotifyFunction":
            assert "VpcConfig" not in function["Properties"], "all others have no way out"


@pytest.mark.parametrize("medium", ["Slack", "Telegram", "Email", "Kakao"])
def test_every_medium_has_its_queue_its_dead_letters_and_an_alarm(medium):
    queue = RESOURCES[f"Notify{medium}Queue"]["Properties"]
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"GetAtt": f"Notify{medium}DeadLetterQueue.Arn"}, "maxReceiveCount": 20,
    }  # fmt: skip
    assert sum(wait_s(attempt, None) for attempt in range(1, 20)) > 2 * 3600
    assert queue["VisibilityTimeout"] >= TEMPLATE["Globals"]["Function"]["Timeout"] * 6
    assert LEASE.total_seconds() > TEMPLATE["Globals"]["Function"]["Timeout"]
    alarm = RESOURCES[f"Notify{medium}WaitsAlarm"]["Properties"]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"GetAtt": f"Notify{medium}Queue.QueueName"}}]
    event = SERVERLESS["NotifyFunction"]["Properties"]["Events"][medium]["Properties"]
    assert (event["Queue"], event["BatchSize"]) == ({"GetAtt": f"Notify{medium}Queue.Arn"}, 1)
