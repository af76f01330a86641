"""What the running cloud is made of: written by `uriai up`, read by everybody else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from uriai_cloud import mariadb, ministack
from uriai_cloud.errors import CloudNotRunning
from uriai_cloud.home import Home, read_json, write_json
from uriai_cloud.mariadb import DatabaseAddress

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from pymysql.cursors import DictCursor


@dataclass(frozen=True, slots=True)
class CloudState:
    """Addresses and names of the local cloud; holds passwords, so it is never printed or logged.

    `functions` maps a function's name (`analyze`, …) to its ARN, `notify_queues` a medium to the URLs of its `queue`
    and `dead_letters`, which `mask_queue` has too; `kakao_header_secret` and `telegram_header_secret` are what the
    webhooks expect in their headers, `slack_signing_secret` what Slack's are signed with; `python` is the version that
    the functions run in, "3.12".
    """

    endpoint_url: str
    region: str
    clips_bucket: str
    models_bucket: str
    receipts_bucket: str
    api_url: str
    queue_url: str
    dead_letter_queue_url: str
    records_queue_url: str
    records_dead_letter_queue_url: str
    database: DatabaseAddress
    functions: dict[str, str]
    kakao_header_secret: str
    slack_signing_secret: str
    telegram_header_secret: str
    answer_queue_url: str
    reply_queue_url: str
    mask_queue: dict[str, str]
    notify_queues: dict[str, dict[str, str]]
    messaging_secret_arn: str
    python: str

    def client(self, service: str) -> Any:
        """Return a boto3 client for one of the local cloud's services, for example "s3"."""
        return client(service, self.endpoint_url, self.region)

    def connect(self) -> Connection[DictCursor]:
        """Return a new connection over verified TLS, as the functions have it: aware UTC datetimes, rows are dicts."""
        from uriai.adapters.database.connection import open_connection

        return open_connection(
            host=self.database.host,
            port=self.database.port,
            user=self.database.username,
            password=self.database.password,
            database=self.database.name,
            ca_file=self.database.ca,
        )

    def __repr__(self) -> str:
        return f"CloudState(endpoint_url={self.endpoint_url!r})"


def client(service: str, endpoint_url: str, region: str = ministack.REGION) -> Any:
    """Return a boto3 client for the local cloud. Presigned URLs carry SigV4, the only kind that ministack checks."""
    import boto3
    from botocore.config import Config

    session = boto3.session.Session(
        aws_access_key_id=ministack.ACCESS_KEY, aws_secret_access_key=ministack.SECRET_KEY, region_name=region
    )
    config = Config(
        signature_version="s3v4" if service == "s3" else None, retries={"max_attempts": 4, "mode": "standard"}
    )
    return session.client(service, endpoint_url=endpoint_url, config=config)  # type: ignore[call-overload]


def save(home: Home, state: CloudState) -> None:
    """Write cloud.json, readable by its owner only."""
    write_json(home.cloud_file, asdict(state))


def read(home: Home) -> CloudState | None:
    """Return what cloud.json says, whether or not the cloud runs; None if there is none or it is of another version."""
    noted = read_json(home.cloud_file)
    try:
        return CloudState(**(noted | {"database": DatabaseAddress(**noted["database"])}))
    except (KeyError, TypeError):
        return None


def load() -> CloudState:
    """Return the running cloud of this user (URIAI_HOME or `.uriai/`).

    Raises
    ------
    CloudNotRunning
        If it was never started, or one of its services has stopped.
    """
    home = Home.from_environment()
    state = read(home)
    if state is None:
        raise CloudNotRunning("the local cloud is not running: run `uriai up`")
    stopped = [service.name for service in (ministack.service(home), mariadb.service(home)) if service.pid() is None]
    if stopped:
        raise CloudNotRunning(f"the local cloud is not running ({' and '.join(stopped)} stopped): run `uriai up`")
    return state
