"""Wires adapters to services from settings. The only module that knows both.

Every adapter is imported when it is asked for, so that a function loads what it uses: the chatbot never loads vision,
the migration never S3.
"""

from __future__ import annotations

import hashlib
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from uriai.settings import DatabaseSettings, NotifySettings, Settings, SettingsError

if TYPE_CHECKING:
    from uriai.adapters.chat.gateways import EnrolmentDesk
    from uriai.adapters.chat.http import Desk, KakaoSecrets
    from uriai.adapters.chat.later import AnswerDesk
    from uriai.adapters.database.connection import Connection, Database
    from uriai.adapters.objects import S3ClipStore
    from uriai.adapters.secrets import Secrets
    from uriai.adapters.vision.registry import FetchedModels
    from uriai.service.analyse_clip import Outside
    from uriai.service.answer_question import Chat
    from uriai.service.deliver_message import Post
    from uriai.service.fail_clip import FailureRecord
    from uriai.service.file_record import RecordDesk
    from uriai.service.make_masked_copy import CopyWorkshop
    from uriai.service.ports.chat import People
    from uriai.service.ports.holds import Holds, Locks
    from uriai.service.ports.later import Later
    from uriai.service.ports.masked_copies import MaskQueue
    from uriai.service.ports.repositories import Transactions
    from uriai.service.ports.retention import Deletion, Expiring
    from uriai.service.ports.vision import ClipAnalyser
    from uriai.service.relay_outbox import Relay
    from uriai.service.request_masked_copy import CopyDesk
    from uriai.service.send_digests import Digests
    from uriai.service.watch_coverage import CoverageWatch


@lru_cache(maxsize=1)
def secrets() -> Secrets:
    """The container's reader of secrets."""
    from uriai.adapters.secrets import Secrets

    return Secrets()


def database(settings: Settings) -> Database:
    """The database by the settings; it connects when first used and reads its credentials each time it connects."""
    from uriai.adapters.database.connection import Database

    return Database(lambda: _connect(settings.database, secrets()))


def transactions(settings: Settings) -> Transactions:
    """Units of work on the database."""
    from uriai.adapters.database.transactions import SqlTransactions

    return SqlTransactions(database(settings))


def clip_store(settings: Settings) -> S3ClipStore:
    """The bucket of clips."""
    from uriai.adapters.objects import S3ClipStore, s3_client

    return S3ClipStore(s3_client(), settings.clips_bucket)


def failure_record(settings: Settings) -> FailureRecord:
    """What writing a ``failed`` row needs; loads neither vision nor models."""
    from uriai.service.fail_clip import FailureRecord
    from uriai.service.ports.clock import SystemClock

    return FailureRecord(settings.models.models, settings.models.hash, transactions(settings), SystemClock())


def clip_analysis(settings: Settings) -> Outside:
    """Everything that analysing a clip needs. Loads the models: once per container."""
    from uriai.adapters.manifest import Ed25519SignatureChecker
    from uriai.service.analyse_clip import Outside
    from uriai.service.ports.clock import SystemClock

    return Outside(
        clips=clip_store(settings),
        analyser=_analyser(settings),
        signatures=Ed25519SignatureChecker(),
        transactions=transactions(settings),
        clock=SystemClock(),
    )


def copy_workshop(settings: Settings) -> CopyWorkshop:
    """Everything that making a masked copy needs. Loads the models: once per container."""
    from uriai.adapters.mask_jobs import S3CopyStore
    from uriai.adapters.objects import s3_client
    from uriai.adapters.vision.masked_copy import OnnxClipMasker
    from uriai.service.make_masked_copy import CopyWorkshop
    from uriai.service.ports.clock import SystemClock

    return CopyWorkshop(
        clips=clip_store(settings),
        copies=S3CopyStore(s3_client(), settings.clips_bucket),
        masker=OnnxClipMasker(_models(settings), threads=1),
        transactions=transactions(settings),
        clock=SystemClock(),
    )


def record_desk(settings: Settings) -> RecordDesk:
    """What filing a gateway's records needs."""
    from uriai.adapters.manifest import Ed25519SignatureChecker
    from uriai.service.file_record import RecordDesk
    from uriai.service.ports.clock import SystemClock

    return RecordDesk(clip_store(settings), Ed25519SignatureChecker(), transactions(settings), SystemClock())


def coverage_watch(settings: Settings) -> CoverageWatch:
    """What looking for holes in coverage needs."""
    from uriai.service.ports.clock import SystemClock
    from uriai.service.watch_coverage import CoverageWatch

    return CoverageWatch(transactions(settings), SystemClock())


def expiring(settings: Settings) -> Expiring:
    """Rows of clips whose period has passed."""
    from uriai.adapters.database.retention import SqlExpiring

    return SqlExpiring(database(settings))


def deletion(settings: Settings) -> Deletion:
    """The bucket of clips, for the one who may delete in it."""
    from uriai.adapters.deletion import S3Deletion
    from uriai.adapters.objects import s3_client

    return S3Deletion(s3_client(), settings.clips_bucket)


def holds(settings: Settings) -> tuple[Holds, Locks]:
    """Incidents whose evidence has to be held, and the bucket for the one who may hold."""
    from uriai.adapters.database.holds import SqlHolds
    from uriai.adapters.locks import S3Locks
    from uriai.adapters.objects import s3_client

    return SqlHolds(database(settings)), S3Locks(s3_client(), settings.clips_bucket)


def relay(settings: Settings) -> Relay:
    """What taking the outbox to the queues of `notify` needs."""
    from uriai.adapters.messaging.queues import SqsMessageQueues, sqs_client
    from uriai.adapters.messaging.receipts import S3Receipts
    from uriai.adapters.objects import s3_client
    from uriai.service.ports.clock import SystemClock
    from uriai.service.relay_outbox import Relay

    return Relay(
        transactions=transactions(settings),
        queues=SqsMessageQueues(sqs_client(), settings.notify_queues),
        receipts=S3Receipts(s3_client(), settings.receipts_bucket),
        clock=SystemClock(),
    )


def reply_post(settings: NotifySettings) -> Post:
    """What sending answers needs; nothing of it knows of a database."""
    from uriai.adapters.messaging.receipts import S3Receipts
    from uriai.adapters.messaging.replies import ReplyMessenger
    from uriai.adapters.objects import s3_client
    from uriai.service.deliver_message import Post
    from uriai.service.ports.clock import SystemClock

    clock = SystemClock()
    messenger = ReplyMessenger(lambda: secrets().read(settings.secret_arn), clock, local=settings.local)
    return Post(lambda _medium: messenger, S3Receipts(s3_client(), settings.receipts_bucket), clock)


def post(settings: NotifySettings) -> Post:
    """What sending messages needs; nothing of it knows of a database."""
    from uriai.adapters.messaging.messengers import Messengers
    from uriai.adapters.messaging.receipts import S3Receipts
    from uriai.adapters.objects import s3_client
    from uriai.service.deliver_message import Post
    from uriai.service.ports.clock import SystemClock

    messengers = Messengers(lambda: secrets().read(settings.secret_arn), settings.sender, local=settings.local)
    return Post(messengers.of, S3Receipts(s3_client(), settings.receipts_bucket), SystemClock())


def _analyser(settings: Settings) -> ClipAnalyser:
    from uriai.adapters.vision.analyser import OnnxClipAnalyser

    return OnnxClipAnalyser(_models(settings), threads=1)


def _models(settings: Settings) -> FetchedModels:
    """The models that the deployment names, fetched by their hash."""
    from uriai.adapters.objects import fetch_into, s3_client
    from uriai.adapters.vision.registry import FetchedModels

    client = s3_client()

    def fetch(sha256: str, file: BinaryIO) -> None:
        fetch_into(client, settings.models_bucket, f"models/sha256/{sha256}", file)

    return FetchedModels(settings.models, settings.models_dir, fetch)


def _connect(settings: DatabaseSettings, reader: Secrets) -> Connection:
    """Connect with the secret's credentials; if they are refused, they may have been rotated: read them anew, once."""
    import pymysql

    from uriai.adapters.database.connection import is_refused

    try:
        return _connect_with(settings, reader, fresh=False)
    except pymysql.MySQLError as error:
        if not is_refused(error):
            raise
        return _connect_with(settings, reader, fresh=True)


def _connect_with(settings: DatabaseSettings, reader: Secrets, *, fresh: bool) -> Connection:
    from uriai.adapters.database.connection import open_connection
    from uriai.adapters.secrets import SecretUnavailableError

    secret = reader.read(settings.secret_arn, fresh=fresh)
    username, password = secret.get("username"), secret.get("password")
    if not isinstance(username, str) or not isinstance(password, str):
        raise SecretUnavailableError(
            f"secret {settings.secret_arn} (DATABASE_SECRET_ARN) has to hold the texts username and password"
        )
    return open_connection(
        host=settings.host,
        port=settings.port,
        user=username,
        password=password,
        database=settings.name,
        ca_file=str(ca_file(settings.ca_bundle)) if settings.ca_bundle else None,
    )


@lru_cache(maxsize=1)
def ca_file(ca_bundle: str) -> Path:
    """The CA bundle as a local file; ``s3://bucket/key`` is fetched once per container."""
    if ca_bundle.startswith("s3://"):
        from uriai.adapters.objects import fetch_small

        bucket, _, key = ca_bundle.removeprefix("s3://").partition("/")
        return _kept(fetch_small(bucket, key))
    path = Path(ca_bundle)
    if not path.is_file():
        raise SettingsError(f"DATABASE_CA_BUNDLE names {ca_bundle}, which is not a file of this function or its layers")
    return path


def _kept(pem: bytes) -> Path:
    """The bytes as a file named after them, always whole: on one machine several clouds share the folder."""
    target = Path(tempfile.gettempdir()) / f"uriai-ca-{hashlib.sha256(pem).hexdigest()}.pem"
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".uriai-ca-", delete=False) as file:
        file.write(pem)
    Path(file.name).replace(target)
    return target


def people(database: Database) -> People:
    """Who may ask."""
    from uriai.adapters.database.people import SqlPeople

    return SqlPeople(database)


def chat(database: Database, settings: Settings | None = None) -> Chat:
    """What answering a question needs; without the queue to `mask` nobody can ask for a masked copy."""
    from uriai.adapters.database.links import SqlLinks
    from uriai.adapters.database.questions import SqlQuestions
    from uriai.service.answer_question import Chat
    from uriai.service.ports.clock import SystemClock

    copies = _copy_desk(database, settings) if settings is not None and settings.mask_queue_url else None
    return Chat(SqlQuestions(database), SqlLinks(database), SystemClock(), copies)


def _copy_desk(database: Database, settings: Settings) -> CopyDesk:
    from uriai.adapters.database.transactions import SqlTransactions
    from uriai.service.request_masked_copy import CopyDesk

    return CopyDesk(SqlTransactions(database), lru_cache(maxsize=1)(lambda: _mask_queue(settings)))


def _mask_queue(settings: Settings) -> MaskQueue:
    from uriai.adapters.mask_jobs import SqsMaskQueue
    from uriai.adapters.messaging.queues import sqs_client

    return SqsMaskQueue(sqs_client(), settings.mask_queue_url)


def desk(settings: Settings) -> Desk:
    """The chatbot's web interface.

    What is costly is loaded when it is first needed: S3 with a picture that is opened, SQS with a question that takes
    too long, a platform's secret with its first call.
    """
    from uriai.adapters.chat.http import Desk, SlackSecrets, TelegramSecrets
    from uriai.adapters.database.dialogues import SqlDeliveries, SqlDialogues
    from uriai.adapters.database.subscriptions import SqlSubscriptions

    shared = database(settings)
    return Desk(
        people=people(shared),
        chat=chat(shared, settings),
        pictures=lru_cache(maxsize=1)(lambda: clip_store(settings)),
        dialogues=SqlDialogues(shared),
        deliveries=SqlDeliveries(shared),
        subscriptions=SqlSubscriptions(shared),
        later=lru_cache(maxsize=1)(lambda: _later(settings)),
        kakao=lambda: _kakao_secrets(settings),
        slack=lambda: SlackSecrets(_secret_text(settings.slack_secret_arn, "signing_secret")),
        telegram=lambda: TelegramSecrets(_secret_text(settings.telegram_secret_arn, "header_secret")),
        base_url=settings.public_base_url,
        local=settings.local,
    )


def answer_desk(settings: Settings) -> AnswerDesk:
    """What answering a question from the queue needs."""
    from uriai.adapters.chat.later import AnswerDesk
    from uriai.adapters.database.dialogues import SqlDeliveries, SqlDialogues
    from uriai.adapters.database.subscriptions import SqlSubscriptions
    from uriai.adapters.messaging.queues import sqs_client
    from uriai.adapters.messaging.replies import SqsReplies
    from uriai.service.converse import Conversation

    shared = database(settings)
    conversation = Conversation(people(shared), chat(shared, settings), SqlDialogues(shared), SqlSubscriptions(shared))
    return AnswerDesk(conversation, SqlDeliveries(shared), SqsReplies(sqs_client(), settings.reply_queue_url))


def digests(settings: Settings) -> Digests:
    """What sending summaries of the day needs."""
    from uriai.adapters.database.subscriptions import SqlSubscriptions
    from uriai.service.ports.clock import SystemClock
    from uriai.service.send_digests import Digests

    return Digests(SqlSubscriptions(database(settings)), _later(settings), SystemClock())


def _later(settings: Settings) -> Later:
    from uriai.adapters.chat.queue import SqsLater
    from uriai.adapters.messaging.queues import sqs_client

    return SqsLater(sqs_client(), settings.answer_queue_url)


def enrolment_desk(settings: Settings) -> EnrolmentDesk:
    """What letting a gateway enter its key needs."""
    from uriai.adapters.chat.gateways import EnrolmentDesk
    from uriai.adapters.database.invitations import SqlInvitations
    from uriai.adapters.manifest import Ed25519SignatureChecker
    from uriai.service.ports.clock import SystemClock

    return EnrolmentDesk(SqlInvitations(database(settings)), Ed25519SignatureChecker(), SystemClock())


def _kakao_secrets(settings: Settings) -> KakaoSecrets:
    """What KAKAO_SECRET_ARN holds; a secret of another form, or none, lets nobody in."""
    from uriai.adapters.chat.http import KakaoSecrets

    if not settings.kakao_secret_arn:
        return KakaoSecrets("", frozenset())
    secret = secrets().read(settings.kakao_secret_arn)
    header, bots = secret.get("header_secret"), secret.get("bot_ids")
    return KakaoSecrets(
        header if isinstance(header, str) else "",
        frozenset(bot for bot in bots if isinstance(bot, str)) if isinstance(bots, list) else frozenset(),
    )


def _secret_text(arn: str, name: str) -> str:
    """A text of a secret; empty, which lets nobody in, where there is none."""
    value = secrets().read(arn).get(name) if arn else None
    return value if isinstance(value, str) else ""
