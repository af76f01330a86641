"""The `uriai` command: a group that imports a command only when it is asked for.

A command `two-words` lives in `uriai_cli/commands/two_words.py`, which has one click command or group named `command`.
Only the module of the command that runs is imported, so `uriai down` never waits for onnxruntime.

Exit codes: 0 done, 1 some input or service failed, 2 wrong usage.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path

import click

from uriai_cli import commands
from uriai_cli.errors import CliError
from uriai_cloud.errors import CloudError

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def command_names() -> list[str]:
    """Return the names of all commands, sorted, as a person types them."""
    return sorted(
        module.name.replace("_", "-")
        for module in pkgutil.iter_modules(commands.__path__)
        if not module.name.startswith("_")
    )


class LazyGroup(click.Group):
    """A group whose commands are modules of `uriai_cli.commands`, imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands without importing one."""
        del ctx
        return command_names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of that name, None if there is none."""
        del ctx
        if cmd_name not in command_names():
            return None
        module = importlib.import_module(f"{commands.__name__}.{cmd_name.replace('-', '_')}")
        command = module.command
        if not isinstance(command, click.Command):
            raise TypeError(f"{module.__name__}.command is a {type(command).__name__}, it has to be a click command")
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what is wrong with the local cloud is said in one line, whichever command found out."""
        try:
            return super().invoke(ctx)
        except CloudError as error:
            raise CliError(str(error)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the first line of their module's docstring, read without running the module."""
        del ctx
        rows = [(name, _first_line(name)) for name in command_names()]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def _first_line(name: str) -> str:
    """Return the first docstring line of a command's module; parsing it is 100 times faster than importing it."""
    spec = importlib.util.find_spec(f"{commands.__name__}.{name.replace('-', '_')}")
    if spec is None or spec.origin is None:
        return ""
    docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    first = docstring.splitlines()[0] if docstring else ""
    return first.split(": ", 1)[1] if first.startswith("`uriai ") and ": " in first else first


def _version() -> str:
    from uriai import __version__

    return __version__


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"uriai {_version()}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings=CONTEXT)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
def cli() -> None:
    """Uri-AI (우리AI): finds suspected child abuse in daycare CCTV and tells the people in charge."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    try:
        cli.main(args=arguments, prog_name="uriai", standalone_mode=True)
    except BrokenPipeError:
        # `uriai … | head`: the reader has gone, which is no failure of ours; keep the interpreter from flushing into it
        sys.stdout = None
        sys.exit(0)


if __name__ == "__main__":
    main()
