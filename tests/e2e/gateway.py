"""A gateway of the tests: the agent's real enrolment and submission, and the database's word on what came of it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from uriai.adapters.database.centres import NewCentre, add_camera, add_centre
from uriai.adapters.database.outcomes import ClipOutcome, clip_outcomes
from uriai_cloud.ministack import ACCESS_KEY, SECRET_KEY
from uriai_cloud.state import CloudState

PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Gateway:
    cloud: CloudState
    name: str
    config: Path
    centre: str

    @classmethod
    def enrolled(
        cls, cloud: CloudState, folder: Path, name: str, *, register: bool = True, cameras: Sequence[int] = (1, 2)
    ) -> Gateway:
        """A gateway with a key of its own; unregistered, the cloud has never heard of it."""
        folder.mkdir(exist_ok=True)
        config = folder / "agent.yaml"
        config.write_text(
            json.dumps(
                {
                    "gateway": name,
                    "key_file": str(folder / "device.key"),
                    "cameras": [{"number": number, "source": "/nowhere.mp4"} for number in cameras],
                    "spool": {"dir": str(folder / "spool")},
                    "upload": {
                        "bucket": cloud.clips_bucket,
                        "region": cloud.region,
                        "endpoint_url": cloud.endpoint_url,
                    },
                }
            )
        )
        subprocess.run([PROGRAMS / "uriai-edge", "enroll", "--config", config], check=True, capture_output=True)
        centre = f"{name} 어린이집"
        if register:
            now = datetime.now(UTC)
            with cloud.connect() as connection, connection.cursor() as cursor:
                connection.begin()
                centre_id = add_centre(cursor, NewCentre(centre, "서울특별시", "강남구", "역삼동"), now)
                connection.commit()
                _enter_key(name, str(centre_id), config)
                connection.begin()
                add_camera(cursor, name, 1, "playroom", now)
                connection.commit()
        return cls(cloud, name, config, centre)

    def submit(self, *files: Path, camera: int = 1, unchecked: bool = False) -> dict[str, str]:
        """Sign and upload whole files as clips; the object key of each, by file name."""
        command: list[str | Path] = [PROGRAMS / "uriai-edge", "submit", *files, "--config", self.config]
        options = ["--camera", str(camera), "--json", *(["--unchecked"] if unchecked else [])]
        done = subprocess.run(
            [*command, *options],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY},
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return {Path(line["file"]).name: line["key"].removesuffix(".mp4") + ".mp4" for line in lines}

    def outcomes(self, since: datetime) -> dict[str, ClipOutcome]:
        """What the database knows of this gateway's clips, by object key."""
        with self.cloud.connect() as connection, connection.cursor() as cursor:
            return {outcome.object_key: outcome for outcome in clip_outcomes(cursor, self.name, since)}

    def wait_for(self, keys: set[str], since: datetime, within_s: float = 240.0) -> dict[str, ClipOutcome]:
        """The outcomes of these objects, once each has been analysed or has failed for good."""
        deadline = time.monotonic() + within_s
        while True:
            found = {
                key: outcome
                for key, outcome in self.outcomes(since).items()
                if key in keys and outcome.state is not None and outcome.reason_code != "retrying"
            }
            if len(found) == len(keys):
                return found
            if time.monotonic() > deadline:
                missing = sorted(keys - set(found))
                raise AssertionError(f"after {within_s:.0f} s {len(missing)} clips have no outcome: {missing}")
            time.sleep(0.5)


def _enter_key(gateway: str, centre: str, config: Path) -> None:
    """As an operator and a technician do it: the one's command prints the other's."""
    added = subprocess.run(
        [PROGRAMS / "uriai", "gateways", "add", gateway, "--centre", centre], check=True, capture_output=True, text=True
    )
    program, *arguments = shlex.split(added.stdout)
    entered = subprocess.run(
        [PROGRAMS / program, *(str(config) if one == "FILE" else one for one in arguments)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert entered.returncode == 0, entered.stderr
