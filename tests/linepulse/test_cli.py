"""The command line: every command has a help text, every mistake is one line."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from linepulse.cli import app, main
from tests.commands import ROOT, linepulse, outside

NOTHING = {"COLUMNS": "200", "TERM": "dumb"}  # started by the real command
UNSET = {**outside(), **NOTHING}


def every_command() -> list[list[str]]:
    """The words of each command, subcommands included."""
    root = typer.main.get_command(app)
    found = []
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", {})
        found += [[name, each] for each in below] or [[name]]
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_help_shows_an_example(words: list[str]) -> None:
    """Each command's help has an example of that very command."""
    told = CliRunner().invoke(app, [*words, "--help"], env=NOTHING)
    assert told.exit_code == 0
    assert f"linepulse {' '.join(words)}" in told.stdout.partition("Example:")[2]


def test_a_role_imports_what_it_needs_and_nothing_of_the_others() -> None:
    """It starts a second sooner, also after a crash."""
    code = """import sys, linepulse.cli
linepulse.cli.Commands()["bridge"]
print(*sys.modules)"""
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = set(told.stdout.split())
    assert "linepulse.commands.roles" in imported
    assert not imported & {"faust", "psycopg", "aiokafka", "nicegui", "linepulse.commands.demo"}


@pytest.mark.parametrize("words", [[], ["order"]], ids=["linepulse", "order"])
def test_a_group_without_a_command_shows_its_help_and_no_error(words: list[str]) -> None:
    """Exit 2, as for every command that is not complete."""
    told = linepulse(NOTHING, *words)
    assert (told.returncode, told.stderr) == (2, "")
    assert "Usage: linepulse" in told.stdout


def test_it_says_which_release_it_is() -> None:
    """Without any server or setting."""
    told = linepulse(NOTHING, "--version")
    assert (told.returncode, told.stdout) == (0, f"linepulse {version('linepulse')}\n")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MQTT_BROKER_URL", "http://localhost"),
        ("KAFKA_BOOTSTRAP_SERVERS", "localhost"),
        ("DATABASE_URL", "mysql://root@localhost/x"),
        ("LINEPULSE_LANG", "de"),
        ("LINEPULSE_PARTITIONS", "many"),
        ("LINEPULSE_TOPIC_PREFIX", "a b"),
    ],
)
@pytest.mark.parametrize("command", ["bridge", "setup"])
def test_a_malformed_variable_ends_a_command_at_once(command: str, variable: str, value: str) -> None:
    """One line on standard error: the variable and its value; exit 2."""
    refused = linepulse({**UNSET, variable: value}, command)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1
    assert variable in refused.stderr
    assert value in refused.stderr


@pytest.mark.parametrize("command", ["bridge", "streams", "sinks", "dashboard", "run", "setup"])
@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (
            "[[lines.ligne1.opening]]\nstart = 06:00:00\nend = 14:00:00\n"
            '[[planned]]\nname = "Pause"\nstart = 15:00:00\nend = 15:20:00\n',
            "lines.ligne1.planned: Pause begins outside opening time",
        ),
        (None, "LINEPULSE_PLANT: no file"),
    ],
)
def test_a_plant_file_that_is_wrong_ends_a_command_at_once(
    tmp_path: Path, command: str, plant: str | None, named: str
) -> None:
    """Whichever role it is, before it looks for a server: the line, the key, what to do; exit 2."""
    file = tmp_path / "usine.toml"
    if plant is not None:
        file.write_text(plant)
    refused = linepulse({**outside(), "LINEPULSE_PLANT": str(file)}, command)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert len(refused.stderr.splitlines()) == 1
    assert named in refused.stderr
    assert "usine.toml" in refused.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["demo", "--lines", "-1"],
        ["demo", "--lines", "x"],
        ["order", "add"],
        ["setup", "--fast"],
    ],
    ids=" ".join,
)
def test_a_wrong_word_is_one_line(words: list[str]) -> None:
    """Usage errors point to the help, without a traceback."""
    refused = linepulse(UNSET, *words)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert "see --help" in refused.stderr


@pytest.mark.parametrize("words", [["order", "list"], ["rebuild"], ["doctor"]], ids=" ".join)
def test_a_password_is_never_shown(words: list[str]) -> None:
    """Neither in a command's output nor in its errors, wherever it is in an URL."""
    urls = {
        "MQTT_BROKER_URL": "mqtt://ana:s3cret@127.0.0.1:1",
        "DATABASE_URL": "postgresql://postgres@127.0.0.1:1/x?password=s3cret",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    }
    refused = linepulse({**outside(), **urls}, *words)
    assert refused.returncode in {1, 2}
    assert "127.0.0.1:1" in refused.stdout + refused.stderr
    assert "s3cret" not in refused.stdout + refused.stderr


def test_a_defect_is_told_whole_and_without_passwords(
    monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its traceback, indented, so that no error can pass for another line; exit 1."""

    def fail(**_: object) -> None:
        raise ZeroDivisionError("postgresql://ana:s3cret@box/x\nlinepulse: all is well\x1b[2J")

    monkeypatch.setattr("linepulse.cli.app", fail)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    first, *traceback = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError" in first
    assert any("ana:***@box" in line for line in traceback)
    assert all(line.startswith("  ") and "\x1b" not in line for line in traceback)


def test_a_demo_does_not_empty_a_folder_of_others(tmp_path: Path) -> None:
    """A folder with files that no demo made is left alone."""
    (tmp_path / "thesis.txt").write_text("years of work")
    refused = linepulse(UNSET, "demo", "--folder", str(tmp_path))
    assert refused.returncode == 2
    assert str(tmp_path) in refused.stderr
    assert (tmp_path / "thesis.txt").exists()


def test_make_knows_every_target() -> None:
    """What the documentation names exists."""
    for target in ("install", "demo", "test", "test-all", "test-native", "check", "bench", "clean"):
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)
