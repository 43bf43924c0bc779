"""The command line: which commands exist, and how they fail. Each has a module of its own."""

import sys
import traceback
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer

from plant.rules import PlantError
from runtime.errors import UserError
from runtime.redact import redacted
from runtime.settings import SettingsError
from runtime.text import indented, plain, plain_lines
from schemas.errors import Unavailable

MODULES = {
    "demo": "linepulse.commands.demo",
    "setup": "linepulse.commands.setup",
    "run": "linepulse.commands.run",
    "bridge": "linepulse.commands.roles",
    "streams": "linepulse.commands.roles",
    "sinks": "linepulse.commands.roles",
    "dashboard": "linepulse.commands.roles",
    "simulate": "linepulse.simulator.command",
    "order": "linepulse.commands.order",
    "stop": "linepulse.commands.stop",
    "line": "linepulse.commands.line",
    "dead-letters": "linepulse.commands.dead_letters",
    "rebuild": "linepulse.commands.rebuild",
    "doctor": "linepulse.commands.doctor",
}
ROLES = "One role, in the foreground"


class Commands(Mapping[str, Any]):
    """Every command by its name; its module is imported on demand, so that no role imports the others."""

    def __getitem__(self, name: str) -> Any:
        module = import_module(MODULES[name])
        one = typer.Typer(rich_markup_mode="rich")
        one.callback()(lambda: None)  # a group, although it has one command
        if hasattr(module, "app"):
            one.add_typer(module.app, name=name)
        else:
            panel = ROLES if module.__name__ == "linepulse.commands.roles" else None
            one.command(name, rich_help_panel=panel)(getattr(module, name))
        return typer.main.get_group(one).commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


class Linepulse(typer.core.TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands()  # type: ignore[assignment]  # nothing is added


def _say_version(asked: bool) -> None:
    if asked:
        print(f"linepulse {version('linepulse')}")
        raise typer.Exit


app = typer.Typer(
    name="linepulse",
    cls=Linepulse,
    help="MQTT to Kafka to PostgreSQL for production lines. Start with: linepulse demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Say which release this is.", callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    """Options before the command."""


def main() -> None:
    """Run a command; an error that a person can correct is one line on standard error, without traceback."""
    try:
        code = app(prog_name="linepulse", standalone_mode=False)
    except typer.TyperException as error:
        wrong = error.format_message()
        if not wrong:
            sys.exit(2)  # a group without a command: its help was shown
        context = getattr(error, "ctx", None)
        fail(plain(f"{context.command_path if context else 'linepulse'}: {wrong} (see --help)"), 2)
    except (UserError, SettingsError, PlantError) as error:
        fail(str(error), 2)
    except Unavailable as error:
        fail(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except Exception as error:
        print(
            f"linepulse: a defect, {type(error).__name__}; please report it with what follows",
            file=sys.stderr,
        )
        fail(indented(traceback.format_exc().rstrip()), 1)
    sys.exit(code if isinstance(code, int) else 0)


def fail(sentence: str, code: int) -> None:
    """Exit with a sentence on standard error; its control characters are escaped, its passwords hidden."""
    print(plain_lines(redacted(sentence)), file=sys.stderr)
    sys.exit(code)
