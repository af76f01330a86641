"""The command ``uriai-edge``. Results go to stdout, logs and errors to stderr.

Exit codes: 0 done, 1 some inputs failed, 2 usage.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from nacl.signing import VerifyKey

from uriai_edge import __version__
from uriai_edge.agent import STATUS_FILE, Agent
from uriai_edge.capture import SourceError
from uriai_edge.check import Outcome, check_all
from uriai_edge.config import Clips, Config, ConfigError, Motion
from uriai_edge.config_file import load_config
from uriai_edge.disk import is_locked
from uriai_edge.enrol import EnrolError, enrol
from uriai_edge.keys import KeyFileError, load_key, make_key
from uriai_edge.logs import set_up_logs
from uriai_edge.memory import keep_small
from uriai_edge.mp4 import Mp4Error
from uriai_edge.redact import redact
from uriai_edge.register import DATABASE, SpoolError, SpoolReader
from uriai_edge.replay import replay
from uriai_edge.s3 import LARGEST_SKEW_S, S3Store
from uriai_edge.spool import Spool
from uriai_edge.submit import SubmitError, submit_to
from uriai_edge.tune import annotate, plot, tune
from uriai_edge.upload import Uploader
from uriai_edge.verify import Candidate, collect, verify

_DONE, _SOME_FAILED, _USAGE = 0, 1, 2
_EXPECTED = (ConfigError, EnrolError, KeyFileError, SpoolError, SourceError, SubmitError, Mp4Error, OSError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give back the exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; nothing to complain about
        return _SOME_FAILED
    except _EXPECTED as error:
        print(redact(str(error)), file=sys.stderr)
        return _USAGE if isinstance(error, ConfigError) else _SOME_FAILED
    except sqlite3.Error as error:
        print(
            redact(f"the spool's register cannot be used: {error}; is its disk full, or another program on it?"),
            file=sys.stderr,
        )
        return _SOME_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="uriai-edge", description="Uri-AI edge agent")
    parser.add_argument("--version", action="version", version=f"uriai-edge {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, command: Callable[[argparse.Namespace], int], about: str, *, config: bool = True
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=about, description=about)
        sub.add_argument("--config", type=Path, required=config, metavar="FILE", help="configuration (YAML)")
        sub.set_defaults(command=command)
        return sub

    run = add("run", _run, "watch the cameras, cut clips and upload them")
    run.add_argument(
        "--exit-when-done", "--once", action="store_true", help="end when every file source ended and all is uploaded"
    )
    run.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    add("check", _check, "try config, key, disk, bucket, clock and cameras").add_argument("--json", action="store_true")
    add("status", _status, "cameras, waiting uploads and troubles").add_argument("--json", action="store_true")
    enroll = add(
        "enroll", _enroll, "make the device's key if there is none, enter it in the cloud, print its public half"
    )
    enroll.add_argument(
        "--token", metavar="TOKEN", help="one-time token that `uriai gateways add` printed; - reads it from stdin"
    )
    enroll.add_argument("--api", metavar="URL", help="where the cloud is, as `uriai gateways add` printed it")
    cut = add("replay", _replay, "cut a recording into clips as `run` would", config=False)
    cut.add_argument("file", metavar="FILE")
    cut.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the clips")
    _camera_option(cut)
    cut.add_argument("--json", action="store_true", help="one JSON object a clip")
    score = add("tune", _tune, "print the motion score of a recording over time as CSV", config=False)
    score.add_argument("file", metavar="FILE")
    score.add_argument("--plot", type=Path, metavar="SVG", help="draw the score over time")
    score.add_argument("--video", type=Path, metavar="MP4", help="write the recording with what moved marked")
    _camera_option(score)
    submit = add("submit", _submit, "sign and upload whole existing MP4 files as clips")
    submit.add_argument("files", nargs="+", type=Path, metavar="FILE")
    submit.add_argument("--camera", type=int, metavar="N", help="camera they are of (default: the first one)")
    submit.add_argument(
        "--started-at", type=_instant, metavar="ISO8601", help="instant of the first picture, with offset"
    )
    submit.add_argument("--unchecked", action="store_true", help="take anything, even what is no video")
    submit.add_argument("--no-upload", action="store_true", help="only spool; the running agent uploads")
    submit.add_argument("--json", action="store_true")
    check = add("verify", _verify, "check evidence offline: a spool, or a copy of the bucket", config=False)
    check.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="default: the configured spool")
    check.add_argument(
        "--public-key", metavar="HEX", help="the device's public key (default: of the configured key_file)"
    )
    check.add_argument("--part", action="store_true", help="the copy does not begin with the first record")
    check.add_argument("--json", action="store_true")
    return parser


def _camera_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--camera", type=int, metavar="N", help="use this camera's settings (default: the general ones)"
    )


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO 8601 instant") from error
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no offset, as in 2026-11-22T09:30:00+09:00")
    return moment


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def _run(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    key = load_key(config.key_file)
    set_up_logs(options.log_level)
    keep_small()
    agent = Agent(config, key, _stop_on_signals())
    signal.signal(signal.SIGHUP, lambda _number, _frame: agent.reload(lambda: load_config(options.config)))
    return _DONE if agent.run(exit_when_done=options.exit_when_done) else _SOME_FAILED


def _check(options: argparse.Namespace) -> int:
    worst = _DONE
    for one in check_all(options.config):
        if one.outcome is Outcome.FAIL:
            worst = _SOME_FAILED
        if options.json:
            print(
                json.dumps({"what": one.what, "outcome": one.outcome, "found": one.found, "remedy": one.remedy}),
                flush=True,
            )
        else:
            print(
                f"{one.outcome.upper():5} {one.what:12} {redact(one.found)}"
                + (f"\n{'':19}-> {one.remedy}" if one.remedy else ""),
                flush=True,
            )
    return worst


def _status(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    folder = config.spool.dir
    reader = SpoolReader(folder)
    live = json.loads((folder / STATUS_FILE).read_text(encoding="utf-8")) if (folder / STATUS_FILE).is_file() else {}
    oldest = reader.oldest_waiting()
    status = {
        "gateway": config.gateway,
        "running": is_locked(folder / "agent.lock"),
        "at": live.get("at"),
        "uploads": live.get("uploads"),
        "problems": live.get("problems", []),
        "last_upload": (live.get("uploaded") or {}).get("last_at"),
        "uploads_replaced": (live.get("uploaded") or {}).get("replaced", 0),
        "uploads_stuck": live.get("uploads_stuck", 0),
        "clock_offset_s": live.get("clock_offset_s"),
        "free_bytes": live.get("free_bytes"),
        "records": {state.value: count for state, count in reader.counts().items()},
        "oldest_waiting": oldest.isoformat() if oldest else None,
        "clip_bytes": reader.clip_bytes(),
        "troubles": [{"seq": seq, "state": state.value, "reason": reason} for seq, state, reason in reader.troubles()],
        "aside": sorted(str(file) for file in (folder / "aside").iterdir()),
        "cameras": live.get("cameras", []),
    }
    if options.json:
        print(json.dumps(status, ensure_ascii=False))
        return _DONE
    print(
        f"gateway {config.gateway}: agent {'runs' if status['running'] else 'does not run'}, "
        f"uploads: {status['uploads'] or 'unknown'}"
    )
    print("records: " + ", ".join(f"{count} {state}" for state, count in status["records"].items()))
    print(
        f"clips on disk: {reader.clip_bytes() / 1e6:.1f} MB of {config.spool.max_bytes / 1e6:.0f} MB"
        + (f", oldest waiting since {oldest:%Y-%m-%d %H:%M:%S} UTC" if oldest else "")
    )
    if status["last_upload"]:
        print(f"last upload: {status['last_upload']}")
    if status["uploads_replaced"]:
        print(f"upload threads replaced: {status['uploads_replaced']}, still stuck: {status['uploads_stuck']}")
    if status["free_bytes"] is not None:
        print(f"free on the disk: {status['free_bytes'] / 1e9:.1f} GB")
    if abs(status["clock_offset_s"] or 0) > LARGEST_SKEW_S:
        print(f"clock: {-status['clock_offset_s']:+.0f} s from S3's; switch on time synchronisation")
    for problem in status["problems"]:
        print(f"problem: {problem}")
    for camera in status["cameras"]:
        print(
            f"camera {camera['number']}: {camera['state']}, {camera['packets']} packets"
            + (f", {camera['message']}" if camera["message"] else "")
        )
    for trouble in status["troubles"]:
        print(f"record {trouble['seq']} {trouble['state']}: {trouble['reason']}")
    for file in status["aside"]:
        print(f"kept aside: {file}")
    return _DONE


def _enroll(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    if (options.token is None) != (options.api is None):
        raise ConfigError("enroll: --token and --api belong together; `uriai gateways add` prints both")
    key = load_key(config.key_file) if config.key_file.exists() else make_key(config.key_file)
    if options.token is not None:
        token = sys.stdin.readline().strip() if options.token == "-" else options.token  # noqa: S105 - not a secret
        enrol(options.api, config.gateway, token, key)
        print(f"the cloud knows gateway {config.gateway} by this key", file=sys.stderr)
    else:
        print(f"enter it in the cloud: uriai gateways add {config.gateway} --centre CENTRE --key KEY", file=sys.stderr)
    print(key.verify_key.encode().hex())
    return _DONE


def _settings(options: argparse.Namespace) -> tuple[Motion, Clips]:
    if options.config is None:
        return Motion(), Clips()
    config: Config = load_config(options.config)
    for camera in config.cameras:
        if camera.number == options.camera:
            return config.motion_of(camera), config.clips_of(camera)
    if options.camera is not None:
        raise ConfigError(f"camera {options.camera}: not in {options.config}")
    return config.motion, config.clips


def _replay(options: argparse.Namespace) -> int:
    motion, clips = _settings(options)
    for clip in replay(options.file, options.out, motion, clips):
        if options.json:
            numbers = {"start_s": clip.start_s, "end_s": clip.end_s, "trigger_s": clip.trigger_s}
            line = {"file": str(clip.file)} | {name: round(value, 3) for name, value in numbers.items()}
            print(json.dumps(line | {"score": round(clip.score, 5)}), flush=True)
        else:
            print(
                f"{clip.file}  {clip.start_s:9.3f} .. {clip.end_s:9.3f} s  "
                f"movement at {clip.trigger_s:9.3f} s  score {clip.score:.4f}",
                flush=True,
            )
    return _DONE


def _tune(options: argparse.Namespace) -> int:
    motion, _ = _settings(options)
    print("t_s,score,moving,light_switch")
    samples = []
    for sample in tune(options.file, motion):
        samples.append(sample)
        print(f"{sample.time_s:.3f},{sample.score:.5f},{int(sample.movement is not None)},{int(sample.light_switch)}")
    if options.plot is not None:
        options.plot.write_text(plot(samples, motion), encoding="utf-8")
    if options.video is not None:
        annotate(options.file, samples, motion, options.video)
    return _DONE


def _submit(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    key = load_key(config.key_file)
    set_up_logs("WARNING")
    camera = options.camera if options.camera is not None else config.cameras[0].number
    failed = False
    with Spool(config.spool.dir, config.gateway, key) as spool:
        for file in options.files:
            try:
                record = submit_to(spool, file, config, camera, options.started_at, check=not options.unchecked)
            except SubmitError as error:
                print(redact(str(error)), file=sys.stderr)
                failed = True
                continue
            manifest = record.read()
            if options.json:
                line = {
                    "file": str(file),
                    "seq": record.seq,
                    "ulid": manifest.ulid,
                    "key": manifest.stem + ".mp4",
                    "sha256": manifest.sha256,
                }
                print(json.dumps(line), flush=True)
            else:
                print(f"{file}  record {record.seq}  {manifest.stem}.mp4", flush=True)
        if not options.no_upload and not is_locked(config.spool.dir / "agent.lock"):
            stop = _stop_on_signals()
            uploader = Uploader(config.upload, spool, S3Store(config.upload, stop), stop)
            failed |= not uploader.drain()
    return _SOME_FAILED if failed else _DONE


def _verify(options: argparse.Namespace) -> int:
    config = load_config(options.config) if options.config else None
    if options.public_key is not None:
        try:
            public_key = VerifyKey(bytes.fromhex(options.public_key))
        except ValueError as error:
            raise ConfigError("--public-key: must be 64 hex characters, as `uriai-edge enroll` prints them") from error
    elif config is not None:
        public_key = load_key(config.key_file).verify_key
    else:
        raise ConfigError("verify needs --public-key HEX, or --config FILE for this device's own")
    paths = options.paths or ([config.spool.dir] if config is not None else [])
    if not paths:
        raise ConfigError("verify needs a PATH")
    candidates, after = _candidates(paths)
    reports = verify(candidates, public_key, from_start=not options.part, after=after)
    if not reports:
        print(
            f"no evidence under {', '.join(map(str, paths))}: a spool, or a copy of the bucket, has some",
            file=sys.stderr,
        )
        return _SOME_FAILED
    for report in reports:
        for one in report.verdicts:
            if options.json:
                print(
                    json.dumps(
                        {
                            "gateway": report.gateway,
                            "seq": one.seq,
                            "status": one.status,
                            "key": one.key,
                            "message": one.message,
                        }
                    )
                )
            elif not one.status.holds:
                number = "-" if one.seq is None else one.seq
                print(f"{report.gateway}  {number}  {one.status}: {one.key or ''} {one.message}")
        broken = report.first_break
        held = sum(one.status.holds for one in report.verdicts)
        summary = "holds" if broken is None else f"first break at record {broken.seq}: {broken.status}"
        print(f"{report.gateway}: {held} of {len(report.verdicts)} records hold; {summary}", file=sys.stderr)
    return _DONE if all(report.first_break is None for report in reports) else _SOME_FAILED


def _candidates(paths: Sequence[Path]) -> tuple[list[Candidate], tuple[int, str] | None]:
    """What lies under the paths, and where the chain goes on from if it is a single spool that forgot its beginning."""
    found: list[Candidate] = []
    after: tuple[int, str] | None = None
    for path in paths:
        if (path / DATABASE).is_file():
            reader = SpoolReader(path)
            after = reader.anchor() if len(paths) == 1 else None
            for record in reader.records():
                attachment = record.path.with_suffix("") if record.path is not None else None
                key = record.read().stem + ".json"
                found.append(Candidate(key, record.manifest, record.signature, attachment, record.removed))
        else:
            found += collect([path])
    return found, after
