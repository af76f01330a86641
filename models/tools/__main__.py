"""``python -m models.tools``: one command for each step from raw footage to labelled pictures and clips."""

from __future__ import annotations

import importlib
import sys

import click

_COMMANDS = {
    "frames": ("commands", "still pictures out of films"),
    "check-labels": ("commands", "labelled pictures: what is sound, what is not"),
    "convert-labels": ("commands", "YOLO text to Pascal VOC and back"),
    "rotate": ("commands", "labelled pictures turned, with boxes that fit"),
    "films": ("commands", "resize, change the frame rate, cut sub-clips, turn"),
    "clips": ("learning", "labelled clips: what is sound, what is not, and group-disjoint folds"),
    "transfer": ("training", "train on labelled clips, starting from a finished model"),
    "stack": ("training", "two models joined into one that weighs both"),
    "evaluate": ("training", "how good a model is on labelled clips it has not learned from"),
    "register": ("learning", "put a model into a set that `uriai` uses, if the analyser takes it"),
    "sample": ("commands", "practice material from the rendered playroom"),
}


class _Group(click.Group):
    """Imports a command's module only when it is asked for: cutting frames never waits for onnxruntime."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"models.tools.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Tools for detectors of your own. Results on stdout, what was left out and progress on stderr; exit code 0 done,
    1 some input failed, 2 wrong usage. docs/own-detectors.md shows one worked example of each.
    """


if __name__ == "__main__":
    sys.exit(main(prog_name="python -m models.tools"))
