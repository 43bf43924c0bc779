"""The README and the guide say only what there is: their commands, their files, their log lines."""

import re
from pathlib import Path

import pytest

from plant.catalogue import sentence
from tests.commands import ROOT, linepulse, outside

README = (ROOT / "README.md").read_text("utf-8")
GUIDE = (ROOT / "docs" / "guide-fr.md").read_text("utf-8")
PAGES = [README, *(page.read_text("utf-8") for page in sorted((ROOT / "docs").glob("*.md")))]
BLOCKS = [block for page in PAGES for block in re.findall(r"```(?:sh)\n(.*?)```", page, flags=re.S)]


def inline(page: str) -> list[str]:
    """What stands between backticks, outside of blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page, flags=re.S))


def commands(start: str) -> set[str]:
    """What stands behind a word in their commands, up to the first argument."""
    spoken = [line.partition("#")[0] for block in BLOCKS for line in block.splitlines()]
    spoken += [text for page in PAGES for text in inline(page)]
    found = [re.search(rf"(?:^|&& |/){start} ((?:[a-z][a-z-]* ?)+)", text) for text in spoken]
    return {match[1].strip() for match in found if match}


@pytest.mark.parametrize("command", sorted(commands("linepulse")))
def test_every_command_of_linepulse_is_there(command: str):
    """Each tells how it is used."""
    done = linepulse(outside(), *command.split(), "--help")
    assert done.returncode == 0, done.stderr
    assert command.rsplit(maxsplit=1)[-1] in done.stdout


@pytest.mark.parametrize("target", sorted(commands("make")))
def test_every_target_of_make_is_there(target: str):
    """As written."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), flags=re.M)


@pytest.mark.parametrize(
    "path",
    sorted(
        {
            text
            for text in inline(README) + inline(GUIDE)
            if re.fullmatch(r"[a-z.-]+/|([a-z-]+/)?[a-z_.-]+\.(py|toml|md|conf)", text)
        }
    ),
)
def test_every_file_and_folder_is_there(path: str):
    """Except what a run makes."""
    assert path in {".linepulse/"} or (ROOT / path).exists()


def test_the_picture_is_there():
    """The first thing that a newcomer sees."""
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / Path(picture)).stat().st_size > 10_000


def test_the_narrated_lines_are_those_of_the_catalogue():
    """Word for word."""
    facts = {"url": "mqtt://localhost:1883", "payload": "{...}"}
    for key in ("starting", "connecting", "connected", "started", "listening"):
        assert sentence("fr", f"bridge.{key}", **facts) in GUIDE
    assert sentence("fr", "bridge.received", topic="production/ligne1/data", **facts) in GUIDE
    assert sentence("fr", "sinks.sample", pieces=4, rate="115") in GUIDE
    assert sentence("fr", "sinks.kpi", trs="95.8") in GUIDE
