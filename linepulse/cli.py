"""The command line: which commands there are, and how they fail. Each lives in a module of its own."""

import sys

import typer

from linepulse.commands import dead_letters, demo, doctor, line, order, rebuild, roles, run, setup, stop
from linepulse.errors import UserError
from linepulse.simulator.command import simulate
from runtime.settings import SettingsError
from schemas.errors import Unavailable
from schemas.plant import PlantError

app = typer.Typer(
    name="linepulse",
    help="MQTT to Kafka to PostgreSQL for production lines. Start with: linepulse demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (demo.demo, setup.setup, run.run):
    app.command()(command)
for role in (roles.bridge, roles.streams, roles.sinks, roles.dashboard):
    app.command(rich_help_panel="One role, in the foreground")(role)
app.command()(simulate)
app.add_typer(order.app, name="order")
app.add_typer(stop.app, name="stop")
app.add_typer(line.app, name="line")
app.add_typer(dead_letters.app, name="dead-letters")
app.command()(rebuild.rebuild)
app.command()(doctor.doctor)


def main() -> None:
    """Run a command; what a person can mend is one line on standard error, without a traceback."""
    try:
        code = app(prog_name="linepulse", standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        fail(f"{context.command_path if context else 'linepulse'}: {error.format_message()} (see --help)", 2)
    except (UserError, SettingsError, PlantError) as error:
        fail(str(error), 2)
    except Unavailable as error:
        fail(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def fail(sentence: str, code: int) -> None:
    """End with one line on standard error."""
    print(sentence, file=sys.stderr)
    sys.exit(code)
