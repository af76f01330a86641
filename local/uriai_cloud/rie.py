"""Runs one function under AWS's own Lambda Runtime Interface Emulator, without Docker, with the local cloud behind it.

The emulator is the program that Lambda's base images carry; aws-sam-cli brings it along. It runs the built function
with its built layers in a fresh process, gives it one event and enforces the timeout; `prlimit` enforces the memory.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from uriai_cloud import ministack, ports
from uriai_cloud.deploy import build_folder
from uriai_cloud.errors import FunctionUnknown, ServiceFailed, ToolMissing
from uriai_cloud.home import REPOSITORY, machine_architecture, tool
from uriai_cloud.state import CloudState
from uriai_cloud.up import FUNCTIONS

EMULATOR = "samcli/local/rapid/aws-lambda-rie-{architecture}"
INVOKE_PATH = "/2015-03-31/functions/function/invocations"


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a function answered: its JSON text, whether that is an error, and how long init plus call took.

    ``cpu_s`` and ``peak_mib`` are of the runtime's process, its start included.
    """

    payload: str
    failed: bool
    duration_s: float
    cpu_s: float = 0.0
    peak_mib: int = 0


class _Loader(yaml.SafeLoader):
    """Reads a template without minding CloudFormation's tags."""


_Loader.add_multi_constructor("!", lambda loader, _suffix, node: _plain(loader, node))


def invoke(cloud: CloudState, function: str, event: bytes, variables: Mapping[str, str] | None = None) -> Invocation:
    """Run the function once with the event (JSON bytes); its log goes to this process's stderr.

    ``variables`` are added to the deployed environment, in place of those of the same name.

    Raises
    ------
    FunctionUnknown
        If template.yaml has no such function.
    ToolMissing, ServiceFailed
        If the emulator is not there, or ends without an answer.
    """
    if function not in FUNCTIONS:
        raise FunctionUnknown(f"there is no function {function!r}: the functions are {', '.join(FUNCTIONS)}")
    configuration = cloud.client("lambda").get_function_configuration(FunctionName=cloud.functions[function])
    emulator = _emulator()
    python = tool(ministack.VENV, "python")
    code, layers = _built(FUNCTIONS[function])
    invoke_port, runtime_port = _two_ports()
    limit = shutil.which("prlimit")
    memory = [limit, f"--data={configuration['MemorySize'] * 1024 * 1024}"] if limit else []
    with tempfile.TemporaryDirectory(prefix="uriai-invoke-") as scratch:
        process = subprocess.Popen(
            [
                str(emulator),
                "--log-level", "error",
                "--runtime-interface-emulator-address", f"{ports.LOOPBACK}:{invoke_port}",
                "--runtime-api-address", f"{ports.LOOPBACK}:{runtime_port}",
                *memory, str(python), "-m", "awslambdaric", configuration["Handler"],
            ],
            cwd=code,
            env=_environment(configuration, code, layers, Path(scratch)) | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=2,  # stdout is for the result
            start_new_session=True,
        )  # fmt: skip
        try:
            answer = _call(process, invoke_port, event, configuration["Timeout"])
            cpu_s, peak_mib = _used(process.pid)
            return replace(answer, cpu_s=cpu_s, peak_mib=peak_mib)
        finally:
            _end(process)


def _call(process: subprocess.Popen[bytes], port: int, event: bytes, timeout_s: int) -> Invocation:
    deadline = time.monotonic() + 15
    while not ports.answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServiceFailed(f"the Lambda runtime interface emulator did not start (exit code {process.returncode})")
        time.sleep(0.02)
    request = urllib.request.Request(f"http://{ports.LOOPBACK}:{port}{INVOKE_PATH}", data=event, method="POST")
    began = time.monotonic()
    try:
        # the emulator ends the function itself at its timeout, and then says so
        with urllib.request.urlopen(request, timeout=timeout_s + 30) as answer:  # noqa: S310 - http to 127.0.0.1
            payload, refused = (
                answer.read().decode("utf-8", errors="replace"),
                bool(answer.headers["X-Amz-Function-Error"]),
            )
    except urllib.error.HTTPError as error:
        payload, refused = error.read().decode("utf-8", errors="replace"), True
    except OSError as error:
        raise ServiceFailed(f"the function ended without an answer ({error}): its log stands above") from error
    return Invocation(payload, refused or not _is_result(payload), time.monotonic() - began)


def _used(emulator: int) -> tuple[float, int]:
    """CPU-seconds so far and the largest resident memory in MiB of what the emulator runs: its session but itself."""
    ticks, peak_kib = 0, 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[3]) != emulator or int(folder.name) == emulator:
                continue
            status = (folder / "status").read_text(encoding="utf-8")
        except (OSError, ValueError, IndexError):
            continue  # it has just ended
        ticks += int(fields[11]) + int(fields[12])
        peak_kib = max(peak_kib, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
    return ticks / os.sysconf("SC_CLK_TCK"), peak_kib // 1024


def _is_result(payload: str) -> bool:
    """Tell an answer from an error: the emulator answers 200 to both, and a timeout is not even JSON."""
    try:
        value = json.loads(payload)
    except ValueError:
        return False
    return not (isinstance(value, dict) and {"errorMessage", "errorType"} <= value.keys())


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the emulator and the runtime that it started; both are of a session that is ours alone."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(timeout=3)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _environment(configuration: dict[str, Any], code: Path, layers: list[Path], scratch: Path) -> dict[str, str]:
    """Return what a Lambda environment would hold: the deployed variables, and those that the service sets."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": str(scratch),
        "AWS_REGION": ministack.REGION,
        "AWS_DEFAULT_REGION": ministack.REGION,
        "AWS_ACCESS_KEY_ID": ministack.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ministack.SECRET_KEY,
        "AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"],
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(configuration["Timeout"]),
        "_HANDLER": configuration["Handler"],
        "LAMBDA_TASK_ROOT": str(code),
        "PYTHONPATH": os.pathsep.join([str(code), *(str(layer / "python") for layer in layers)]),
        "PYTHONDONTWRITEBYTECODE": "1",  # in Lambda both are read-only
        "POWERTOOLS_TRACE_DISABLED": "true",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        **configuration.get("Environment", {}).get("Variables", {}),
    }


def _built(logical_id: str) -> tuple[Path, list[Path]]:
    """Return the folders of a built function and of its built layers, from the template that `sam build` wrote."""
    template_file = build_folder() / "build" / "template.yaml"
    if not template_file.exists():
        raise ToolMissing(f"{template_file.relative_to(REPOSITORY)} is not there: run `uriai up`")
    resources = yaml.load(template_file.read_text(encoding="utf-8"), Loader=_Loader)["Resources"]  # noqa: S506 - a safe loader
    properties = resources[logical_id]["Properties"]
    names = [layer["Ref"] if isinstance(layer, dict) else layer for layer in properties.get("Layers", [])]
    layers = [resources[name]["Properties"]["ContentUri"] for name in names]
    return template_file.parent / properties["CodeUri"], [template_file.parent / layer for layer in layers]


def _plain(loader: Any, node: Any) -> Any:
    """Return what stands behind a tag: `!Ref Name` is just Name."""
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


def _emulator() -> Path:
    sam = tool(".venv-sam", "sam")
    found = list(
        sam.parent.parent.glob(f"lib/python*/site-packages/{EMULATOR.format(architecture=machine_architecture())}")
    )
    if not found:
        raise ToolMissing(".venv-sam holds no Lambda runtime interface emulator: run `make setup`")
    if not os.access(found[0], os.X_OK):
        found[0].chmod(0o755)
    return found[0]


def _two_ports() -> tuple[int, int]:
    first = ports.any_free("invoke")
    return first, ports.any_free("invoke", but=first)
