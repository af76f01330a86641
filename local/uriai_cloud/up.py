"""Starts the cloud on one machine, brings it up to date, and stops it."""

from __future__ import annotations

import fcntl
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from uriai_cloud import deploy, mariadb, ministack, models, stack, state
from uriai_cloud.deploy import Target
from uriai_cloud.errors import DeployFailed
from uriai_cloud.home import REPOSITORY, Home, machine_architecture, python_version, read_json, write_json
from uriai_cloud.stack import Stack
from uriai_cloud.state import CloudState

Progress = Callable[[str], None]
FUNCTIONS = {
    "analyze": "AnalyzeFunction",
    "dead_letters": "DeadLettersFunction",
    "records": "RecordsFunction",
    "watch": "WatchFunction",
    "retention": "RetentionFunction",
    "chatbot": "ChatbotFunction",
    "answer": "AnswerFunction",
    "notify": "NotifyFunction",
    "mask": "MaskFunction",
    "migrate": "MigrateFunction",
}
"""Name of a function's folder -> its logical id in template.yaml."""
PLATFORM_SECRETS = ("kakao_header_secret", "slack_signing_secret", "telegram_header_secret")
"""What lets messengers in, each drawn once and kept in secrets.json."""
EMAIL_FROM = "uriai@example.org"
"""What local e-mail comes from; it goes no further than ministack's SES."""


def up(progress: Progress, *, ministack_port: int | None = None, mariadb_port: int | None = None) -> CloudState:
    """Start what does not run, build and deploy what has changed, and return the cloud. Safe to call again.

    Raises
    ------
    CloudError
        One of its subclasses; each message is one sentence with the remedy.
    """
    home = Home.from_environment()
    with _one_at_a_time(home), deploy.built(progress) as sources:
        model_files = models.resolve()
        was_running = mariadb.service(home).pid() is not None and ministack.service(home).pid() is not None
        database = mariadb.start(home, progress, mariadb_port)
        endpoint = ministack.start(home, progress, ministack_port)
        secret_arns = _secrets(home, database, endpoint)
        _verify_sender(state.client("sesv2", endpoint))
        target = Target(home, state.client("cloudformation", endpoint), state.client("s3", endpoint))
        parameters = {
            "Runtime": f"python{python_version()}",
            "Architecture": machine_architecture(),
            "DatabaseHost": database.host,
            "DatabasePort": str(database.port),
            "DatabaseName": database.name,
            "DatabaseSecretArn": secret_arns["database"],
            "DatabaseCaBundle": _publish_ca(target.s3, database),
            "ModelSet": models.model_set(model_files),
            "KakaoSecretArn": secret_arns["kakao"],
            "SlackSecretArn": secret_arns["slack"],
            "TelegramSecretArn": secret_arns["telegram"],
            "MessagingSecretArn": secret_arns["messaging"],
            "EmailFrom": EMAIL_FROM,
            "AwsEndpointUrl": endpoint,
            "RetryAfterSeconds": "120",
            "LogRetentionDays": "7",
        }
        # the chatbot's own address is known only once its API is there: the first deployment has a short second one
        known = stack.find(target.cloudformation)
        url = api_url(endpoint, known["ChatApiId"]) if known else ""
        deployed, ran = deploy.deploy(target, sources, parameters | {"PublicBaseUrl": url}, progress)
        if url != api_url(endpoint, deployed["ChatApiId"]):
            url = api_url(endpoint, deployed["ChatApiId"])
            deployed, ran = deploy.deploy(target, sources, parameters | {"PublicBaseUrl": url}, progress)
        models.upload(model_files, target.s3, deployed["ModelsBucket"], progress)
        found = CloudState(
            endpoint_url=endpoint,
            region=ministack.REGION,
            clips_bucket=deployed["ClipsBucket"],
            receipts_bucket=deployed["ReceiptsBucket"],
            models_bucket=deployed["ModelsBucket"],
            api_url=url,
            queue_url=deployed["AnalyzeQueueUrl"],
            dead_letter_queue_url=deployed["AnalyzeDeadLetterQueueUrl"],
            records_queue_url=deployed["RecordsQueueUrl"],
            records_dead_letter_queue_url=deployed["RecordsDeadLetterQueueUrl"],
            database=database,
            functions=_functions(state.client("lambda", endpoint), deployed),
            answer_queue_url=deployed["AnswerQueueUrl"],
            reply_queue_url=deployed["ReplyQueueUrl"],
            mask_queue=json.loads(deployed["MaskQueue"]),
            notify_queues=json.loads(deployed["NotifyQueues"]),
            messaging_secret_arn=secret_arns["messaging"],
            **{name: read_json(home.secrets_file)[name] for name in PLATFORM_SECRETS},
            python=python_version(),
        )
        if not was_running and not ran:
            _migrate(found, progress)
        state.save(home, found)
        _write_sam_local_environment(home, found, parameters)
    return found


def down(progress: Progress) -> list[str]:
    """Stop the services in good order, so that everything is there again at the next `up`; return which ones ran."""
    home = Home.from_environment()
    with _one_at_a_time(home):
        stopped = []
        for name, stop in (("ministack", ministack.stop), ("mariadb", mariadb.stop)):
            if stop(home):
                progress(f"{name} stopped")
                stopped.append(name)
    return stopped


def api_url(endpoint: str, api_id: str) -> str:
    """Return what the chatbot's routes start with on this machine."""
    return f"{endpoint}/restapis/{api_id}/live/_user_request_"


def _functions(functions: Any, deployed: Stack) -> dict[str, str]:
    return {
        name: functions.get_function_configuration(FunctionName=deployed[output])["FunctionArn"]
        for name, output in FUNCTIONS.items()
    }


def _migrate(cloud: CloudState, progress: Progress) -> None:
    """Migrate after a start without a deployment: the database's folder may be older than the stack."""
    progress("migrating the schema")
    answer = cloud.client("lambda").invoke(FunctionName=cloud.functions["migrate"], Payload=b"{}")
    payload = answer["Payload"].read().decode("utf-8", errors="replace")
    if answer.get("FunctionError"):
        raise DeployFailed(f"migrating the schema failed: {payload[:500]} (see `uriai logs migrate`)")


def _secrets(home: Home, database: mariadb.DatabaseAddress, endpoint: str) -> dict[str, str]:
    """Put the database's password and the messengers' secrets where the functions look; return the secrets' ARNs.

    ``messaging`` in secrets.json, of the form that the template's MessagingSecretArn has, lets `notify` send for real.
    """
    kept = read_json(home.secrets_file)
    missing = [name for name in PLATFORM_SECRETS if name not in kept]
    if missing:
        kept |= {name: secrets.token_urlsafe(32) for name in missing}
        write_json(home.secrets_file, kept)
    kakao = {"header_secret": kept["kakao_header_secret"], "bot_ids": kept.get("kakao_bot_ids", ["local-bot"])}
    manager = state.client("secretsmanager", endpoint)
    login = {"username": database.username, "password": database.password}
    return {
        "database": _put_secret(manager, f"{stack.NAME}/database", login),
        "kakao": _put_secret(manager, f"{stack.NAME}/kakao", kakao),
        "slack": _put_secret(manager, f"{stack.NAME}/slack", {"signing_secret": kept["slack_signing_secret"]}),
        "telegram": _put_secret(manager, f"{stack.NAME}/telegram", {"header_secret": kept["telegram_header_secret"]}),
        "messaging": _put_secret(manager, f"{stack.NAME}/messaging", kept.get("messaging", {})),
    }


def _verify_sender(ses: Any) -> None:
    """Let local e-mail have a sender, unless it has one."""
    with suppress(ses.exceptions.AlreadyExistsException):
        ses.create_email_identity(EmailIdentity=EMAIL_FROM)


def _publish_ca(s3: Any, database: mariadb.DatabaseAddress) -> str:
    """Put the certificate authority where functions find it, in a container too; return its s3:// address."""
    deploy.ensure_artifacts_bucket(s3)
    key = "ca/local.pem"
    s3.put_object(Bucket=deploy.ARTIFACTS_BUCKET, Key=key, Body=Path(database.ca).read_bytes())
    return f"s3://{deploy.ARTIFACTS_BUCKET}/{key}"


def _put_secret(manager: Any, name: str, value: dict[str, Any]) -> str:
    text = json.dumps(value, sort_keys=True)
    try:
        found = manager.get_secret_value(SecretId=name)
    except manager.exceptions.ResourceNotFoundException:
        return str(manager.create_secret(Name=name, SecretString=text)["ARN"])
    if found["SecretString"] != text:
        manager.put_secret_value(SecretId=name, SecretString=text)
    return str(found["ARN"])


def _write_sam_local_environment(home: Home, cloud: CloudState, parameters: dict[str, str]) -> None:
    """Write local/env.json: the variables for `sam local invoke --env-vars`, which does not know the deployed ones.

    A cloud that lives elsewhere than `.uriai/` has its env.json there, and leaves the working tree's alone.
    """
    common = {
        "DATABASE_HOST": cloud.database.host,
        "DATABASE_PORT": str(cloud.database.port),
        "DATABASE_NAME": cloud.database.name,
        "DATABASE_SECRET_ARN": parameters["DatabaseSecretArn"],
        "DATABASE_CA_BUNDLE": parameters["DatabaseCaBundle"],
        "CLIPS_BUCKET": cloud.clips_bucket,
        "MODELS_BUCKET": cloud.models_bucket,
        "MODEL_SET": parameters["ModelSet"],
        "RECEIPTS_BUCKET": cloud.receipts_bucket,
        "NOTIFY_QUEUES": json.dumps(cloud.notify_queues),
        "MESSAGING_SECRET_ARN": parameters["MessagingSecretArn"],
        "EMAIL_FROM": parameters["EmailFrom"],
        "PUBLIC_BASE_URL": cloud.api_url,
        "KAKAO_SECRET_ARN": parameters["KakaoSecretArn"],
        "SLACK_SECRET_ARN": parameters["SlackSecretArn"],
        "TELEGRAM_SECRET_ARN": parameters["TelegramSecretArn"],
        "ANSWER_QUEUE_URL": cloud.answer_queue_url,
        "MASK_QUEUE_URL": cloud.mask_queue["queue"],
        "REPLY_QUEUE_URL": cloud.reply_queue_url,
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
    }
    folder = REPOSITORY / "local" if home.path == REPOSITORY / ".uriai" else home.path
    write_json(folder / "env.json", dict.fromkeys(FUNCTIONS.values(), common))


@contextmanager
def _one_at_a_time(home: Home) -> Iterator[None]:
    """Hold the cloud's lock: a second `uriai up` waits for the first."""
    with (home.path / "lock").open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
