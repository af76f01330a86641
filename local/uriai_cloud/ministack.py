"""AWS on this machine: ministack, with its objects and its state kept in the cloud's folder."""

from __future__ import annotations

import json
import os
import shutil
import time
import urllib.request
from collections.abc import Callable

from uriai_cloud import ports
from uriai_cloud.errors import ServiceFailed
from uriai_cloud.home import Home, tool
from uriai_cloud.processes import Service

VENV = ".venv-ministack"
REGION = "ap-northeast-2"
ACCOUNT = "000000000000"
# ministack checks presigned URLs against exactly these; they open nothing anywhere else
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105


def service(home: Home) -> Service:
    """Return ministack as a background process."""
    return Service("ministack", home.path / "ministack.pid", home.logs / "ministack.log")


def endpoint(home: Home) -> str:
    """Return the URL that all its services answer at."""
    return f"http://{ports.LOOPBACK}:{ports.remembered(home, 'ministack') or 0}"


def start(home: Home, progress: Callable[[str], None], port: int | None = None) -> str:
    """Start it unless it runs, wait until it answers, return its URL.

    Raises
    ------
    ToolMissing, PortTaken, ServiceFailed
        One sentence each, with the remedy.
    """
    process = service(home)
    if process.pid() is not None:
        return endpoint(home)
    program = tool(VENV, "ministack")
    number = ports.choose(home, "ministack", port)
    folder = home.path / "ministack"
    temporary = folder / "tmp"
    # functions' unpacked layers: those of the last run are of no use to anybody
    shutil.rmtree(temporary, ignore_errors=True)
    for needed in (temporary, folder / "state", folder / "objects"):
        needed.mkdir(parents=True, exist_ok=True)
    progress(f"ministack on {ports.LOOPBACK}:{number}")
    process.start([program], environment(home, number), folder)
    _wait(process, number)
    return endpoint(home)


def stop(home: Home) -> bool:
    """End it with SIGTERM, at which it writes down what is in its queues; return whether it ran."""
    return service(home).stop(patience_s=60)


def environment(home: Home, port: int) -> dict[str, str]:
    """Return the environment of ministack, which the functions it runs inherit: nothing of the caller's but PATH."""
    folder = home.path / "ministack"
    return {
        "PATH": f"{tool(VENV, 'python').parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        # without this it listens on every interface
        "BIND_HOST": ports.LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": ports.LOOPBACK,
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "objects"),
        "TMPDIR": str(folder / "tmp"),
        # listeners that nobody here asked for, and that would not stay on 127.0.0.1
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # functions run as plain processes, whether or not there is a Docker engine
        "DOCKER_HOST": f"unix://{folder}/none.sock",
        "LAMBDA_EXECUTOR": "local",
        # there is no X-Ray daemon to send traces to
        "POWERTOOLS_TRACE_DISABLED": "true",
        # functions share two cores with everything else
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }


def healthy(port: int) -> bool:
    """Tell whether ministack, and not just anybody, answers on that port."""
    try:
        with urllib.request.urlopen(f"http://{ports.LOOPBACK}:{port}/_ministack/health", timeout=2) as answer:
            return isinstance(json.load(answer), dict)
    except (OSError, ValueError):
        return False


def _wait(process: Service, port: int, patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not healthy(port):
        if process.pid() is None:
            raise ServiceFailed(f"ministack ended while starting: {process.last_lines()} (see {process.log_file})")
        if time.monotonic() > deadline:
            raise ServiceFailed(f"ministack is silent on port {port} after {patience_s:.0f} s: see {process.log_file}")
        time.sleep(0.1)
