"""The cloud on one machine: deployed for real, bound to loopback, and all there again after `down`, `up` and a kill."""

from __future__ import annotations

import getpass
import json
import os
import stat
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.missing import missing
from uriai_cli.main import cli
from uriai_cloud import mariadb, ministack, models, ports, rie, state
from uriai_cloud.errors import CloudNotRunning, PortTaken, ToolMissing
from uriai_cloud.home import Home, read_json, system_tool
from uriai_cloud.processes import descendants
from uriai_cloud.state import CloudState
from uriai_cloud.up import FUNCTIONS, down, up

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
ROOT = Path(__file__).resolve().parents[3]
LISTENING = "0A"


def told(message: str) -> None:
    print(message)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("URIAI_HOME", str(tmp_path_factory.mktemp("local-cloud")))
        yield Home.from_environment()


@pytest.fixture(scope="module")
def cloud(home: Home) -> Iterator[CloudState]:
    try:
        yield up(told)
    except ToolMissing as error:
        missing(error)
    finally:
        down(told)


def listeners(pids: set[int]) -> set[tuple[str, int]]:
    """Local address (as the kernel writes it) and port of every listening or unconnected socket of these processes."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = str(link.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and (fields[3] == LISTENING or table.startswith("udp")):
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found


def test_every_service_listens_on_loopback_only(cloud: CloudState, home: Home):
    cloud.client("lambda").invoke(FunctionName=cloud.functions["migrate"], Payload=b"{}")  # so that a worker is there
    pids = {pid for service in (ministack.service(home), mariadb.service(home)) if (pid := service.pid())}
    found = listeners(set().union(*(descendants(pid) for pid in pids)))
    assert {port for _, port in found} >= {ports.remembered(home, "ministack"), cloud.database.port}
    assert {address for address, _ in found} == {"0100007F"}  # 127.0.0.1, lowest byte first


def test_another_database_that_is_installed_beside_it_deletes_none_of_its_temporary_tables(
    cloud: CloudState, tmp_path: Path
):
    with cloud.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE held (n INT) ENGINE=Aria")
        cursor.execute("INSERT INTO held VALUES (1), (2)")
        installed = [system_tool("mariadb-install-db", mariadb.PACKAGE), "--no-defaults", f"--datadir={tmp_path}"]
        subprocess.run([*installed, f"--user={getpass.getuser()}"], check=True, capture_output=True)
        # the second use opens its file anew
        cursor.execute("SELECT COUNT(*) AS pairs FROM held a JOIN held b ON a.n = b.n")
        assert cursor.fetchone() == {"pairs": 2}


def test_what_holds_passwords_is_readable_by_its_owner_only(cloud: CloudState, home: Home):
    for path in (home.cloud_file, home.secrets_file, home.path / "mariadb-init.sql", home.path / "env.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    assert cloud.database.password not in repr(cloud)


def test_up_prints_addresses_and_no_password(cloud: CloudState):
    answer = CliRunner().invoke(cli, ["up", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["api_url"] == cloud.api_url
    assert cloud.database.password not in answer.output
    assert cloud.kakao_header_secret not in answer.output


def test_the_schema_was_migrated_over_verified_tls(cloud: CloudState):
    connection = cloud.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
            assert cursor.fetchone()["Value"].startswith("TLS")
            cursor.execute("SELECT COUNT(*) AS found FROM schema_migration")
            assert cursor.fetchone()["found"] >= 1
    finally:
        connection.close()


def test_every_model_of_the_set_is_in_the_bucket(cloud: CloudState):
    for file in models.resolve():
        head = cloud.client("s3").head_object(Bucket=cloud.models_bucket, Key=f"models/sha256/{file.sha256}")
        assert head["ContentLength"] == file.path.stat().st_size
        manifest = cloud.client("s3").get_object(
            Bucket=cloud.models_bucket, Key=f"models/sha256/{file.manifest_sha256}"
        )
        assert manifest["Body"].read() == file.manifest.read_bytes()


def test_the_chatbot_refuses_who_has_no_token(cloud: CloudState):
    request = urllib.request.Request(
        f"{cloud.api_url}/v1/ask", data=b"{}", headers={"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request)
    assert refusal.value.code == 401


def test_a_second_up_without_a_change_deploys_nothing(cloud: CloudState):
    said: list[str] = []
    began = time.monotonic()
    assert up(said.append) == cloud
    assert said == []
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_takes_its_sample_event_under_the_runtime_interface_emulator(cloud: CloudState, name: str):
    answer = CliRunner().invoke(cli, ["invoke", name, str(ROOT / "events" / f"{name}.json")])
    assert answer.exit_code == 0, answer.output
    result = json.loads(answer.stdout)
    expected = {
        "analyze": lambda: result == {"batchItemFailures": []},
        "mask": lambda: result == {"batchItemFailures": []},
        "dead_letters": lambda: result == {"batchItemFailures": []},
        "records": lambda: result == {"batchItemFailures": []},
        "watch": lambda: set(result) == {"silent", "dark", "gaps", "held", "queued", "delivered", "failed", "digests"},
        "retention": lambda: result["finished"] is True,
        "chatbot": lambda: result["statusCode"] == 401,
        "notify": lambda: result == {"batchItemFailures": []},
        "answer": lambda: result == {"batchItemFailures": []},
        "migrate": lambda: result["applied"] == [] and result["version"] >= 1,
    }
    assert expected[name](), result


def test_a_function_that_fails_under_the_emulator_is_told_from_one_that_answers(cloud: CloudState):
    assert rie.invoke(cloud, "analyze", b'{"no": "records"}').failed
    assert not rie.invoke(cloud, "migrate", b"{}").failed


def test_status_shows_what_runs_and_what_waits(cloud: CloudState):
    answer = CliRunner().invoke(cli, ["status", "--json"])
    assert answer.exit_code == 0, answer.output
    report = json.loads(answer.stdout)
    assert set(report["functions"]) == set(FUNCTIONS)
    assert set(report["queues"]["analyze"]) == {"waiting", "in_work"}
    assert report["services"]["mariadb"]["port"] == cloud.database.port


def test_logs_show_what_a_function_said(cloud: CloudState):
    cloud.client("lambda").invoke(FunctionName=cloud.functions["migrate"], Payload=b"{}")
    answer = CliRunner().invoke(cli, ["logs", "migrate"])
    assert answer.exit_code == 0, answer.output
    assert "schema is up to date" in answer.stdout


def leave_traces(cloud: CloudState) -> None:
    """Put one object, one row and one message where they can be looked for later."""
    cloud.client("s3").put_object(Bucket=cloud.clips_bucket, Key="records/kept/note.txt", Body=b"kept")
    sqs = cloud.client("sqs")
    sqs.send_message(QueueUrl=sqs.create_queue(QueueName="kept")["QueueUrl"], MessageBody="kept")
    connection = cloud.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT IGNORE INTO region (province, district, neighbourhood) VALUES ('kept', 'kept', '')")
    finally:
        connection.close()


def object_and_row_are_there(cloud: CloudState) -> bool:
    body = cloud.client("s3").get_object(Bucket=cloud.clips_bucket, Key="records/kept/note.txt")["Body"].read()
    connection = cloud.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) AS found FROM region WHERE province = 'kept'")
            return body == b"kept" and cursor.fetchone()["found"] == 1
    finally:
        connection.close()


def test_everything_survives_down_and_up(cloud: CloudState, home: Home):
    leave_traces(cloud)
    assert down(told) == ["ministack", "mariadb"]
    with pytest.raises(CloudNotRunning, match="run `uriai up`"):
        state.load()
    said: list[str] = []
    again = up(said.append)
    assert again == cloud, "addresses and names stay the same"
    assert not [line for line in said if "sam deploy" in line]
    assert object_and_row_are_there(again)
    sqs = again.client("sqs")
    kept = sqs.get_queue_url(QueueName="kept")["QueueUrl"]
    assert sqs.receive_message(QueueUrl=kept, WaitTimeSeconds=2)["Messages"][0]["Body"] == "kept"


def test_clips_and_rows_survive_a_kill_of_both_services(cloud: CloudState, home: Home):
    leave_traces(cloud)
    for service in (ministack.service(home), mariadb.service(home)):
        pid = service.pid()
        assert pid is not None
        os.kill(pid, 9)
    again = up(told)
    assert object_and_row_are_there(again)
    answer = again.client("lambda").invoke(FunctionName=again.functions["migrate"], Payload=b"{}")
    assert json.loads(answer["Payload"].read())["applied"] == []


def test_a_taken_port_gives_one_sentence(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    taken = ports.remembered(home, "ministack")
    assert taken is not None
    assert not ports.is_free(taken)
    other = Home(tmp_path)
    with pytest.raises(PortTaken, match=rf"port {taken} .* is taken"):
        ministack.start(other, told, taken)
    assert read_json(other.ports_file) == {}
