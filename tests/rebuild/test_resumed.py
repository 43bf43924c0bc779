"""An interrupted rebuild resumes where it was, and makes the same rows as an uninterrupted one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import psycopg
import pytest

from linepulse.embedded.server import children_of
from rebuild.table_builder import TableBuilder
from tests.commands import ROOT, alive, command_line, environment, linepulse
from tests.eventually import wait_until
from tests.rebuild.conftest import RULES, Replayed, differing
from tests.rebuild.story import story

SMALL_STEPS = [sys.executable, "-P", "-m", "tests.rebuild.small_steps"]
SHADOW = "generation_2"
APPLIED = f'SELECT coalesce(sum("nextOffset" - "begin"), 0) FROM {SHADOW}."RebuildPartition"'


def applied(plant: Replayed) -> int:
    """How many records the checkpoints cover."""
    try:
        return int(plant.rows(APPLIED)[0][0])
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return 0


def made(plant: Replayed, plant_text: str = RULES, workers: int = 1) -> dict[str, str]:
    """The digests of the tables of a rebuild that runs to its end in this process."""
    with TableBuilder(plant.settings, plant_text, workers) as rebuild:
        rebuild.apply(rebuild.extents(), lambda _: None)
        rebuild.finish()
        digests = plant.digests(SHADOW)
        rebuild.drop()
    return digests


@contextmanager
def in_small_steps(plant: Replayed, folder: Path, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A dry run under way, with a checkpoint every few records."""
    with (folder / "out.txt").open("wb") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "tests.rebuild.small_steps",
                "rebuild",
                "--dry-run",
                *words,
            ],
            env={**environment(plant.settings), "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def until_applied(plant: Replayed, process: "subprocess.Popen[bytes]", records: int) -> bool:
    """Wait for a checkpoint; False if the process has finished before."""
    wait_until(lambda: applied(plant) >= records or process.poll() is not None, "a checkpoint", 60)
    return process.poll() is None


def until_ended(processes: Sequence[int]) -> None:
    """Wait until the workers of a killed process have ended; they do so by themselves."""
    wait_until(lambda: not any(map(alive, processes)), "the end of its processes", 20)


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_again_and_again_it_makes_the_same_rows(plant: Replayed, tmp_path: Path, workers: int) -> None:
    """SIGKILL at any moment: rows with a checkpoint are kept, and none is written twice."""
    plant.write(story(seconds=900, seed=3))
    whole = made(plant)
    draw, stood = Random(workers), 0
    for _ in range(5):
        with in_small_steps(plant, tmp_path, "--workers", str(workers)) as process:
            if not until_applied(plant, process, stood + draw.randint(1, 1200)):
                break
            children = children_of(process.pid)
        until_ended(children)
        assert applied(plant) > stood
        stood = applied(plant)
    assert stood > 0
    with TableBuilder(plant.settings, RULES) as rebuild:
        assert rebuild.resumed
        rebuild.apply(rebuild.extents(), lambda _: None)
        rebuild.finish()
    assert plant.digests(SHADOW) == whole


def test_two_processes_make_what_one_makes(plant: Replayed) -> None:
    """Each has its partitions."""
    plant.write(story(seconds=200, seed=4))
    assert made(plant, workers=2) == made(plant)


def test_a_process_that_is_killed_is_told(plant: Replayed, tmp_path: Path) -> None:
    """The command fails with a sentence; committed rows are kept, and the next rebuild resumes."""
    plant.write(story(seconds=900, seed=5))
    with in_small_steps(plant, tmp_path, "--workers", "2") as process:
        assert until_applied(plant, process, 1)
        children = [pid for pid in children_of(process.pid) if "spawn_main" in " ".join(command_line(pid))]
        os.kill(children[0], signal.SIGKILL)
        assert process.wait(30) == 1
        said = (tmp_path / "out.txt").read_text()
        assert "was killed (SIGKILL); run the command again: it goes on from there" in said
        assert "Traceback" not in said
        assert not any(map(alive, children))
    stood = applied(plant)
    assert stood > 0
    with TableBuilder(plant.settings, RULES) as rebuild:
        assert rebuild.resumed
        assert rebuild.applied() == stood


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_asked_to(plant: Replayed, tmp_path: Path, sign: signal.Signals) -> None:
    """With all of its processes, and without any output."""
    plant.write(story(seconds=5000, seed=6))
    with in_small_steps(plant, tmp_path, "--json", "--workers", "2") as process:
        assert until_applied(plant, process, 1)
        children = children_of(process.pid)
        process.send_signal(sign)
        assert process.wait(20) == 130
        assert (tmp_path / "out.txt").read_text() == ""
        until_ended(children)


def test_other_rules_begin_anew(plant: Replayed) -> None:
    """Rows that were made under other rules can't be used."""
    plant.write(story(seconds=30, seed=7))
    with TableBuilder(plant.settings, RULES) as rebuild:
        rebuild.apply(rebuild.extents(), lambda _: None)
        assert rebuild.applied() > 0
    with TableBuilder(plant.settings, "[line.order]\nquantity = 40\n") as rebuild:
        assert rebuild.not_resumed == "other_rules"
        assert rebuild.applied() == 0


def test_what_an_earlier_one_read_is_not_counted_as_read_again(plant: Replayed) -> None:
    """In the sentence that tells people how fast it was."""
    count = plant.write(story(seconds=30, seed=9))
    plant.live()
    with TableBuilder(plant.settings, RULES) as rebuild:
        rebuild.apply(rebuild.extents(), lambda _: None)
    said = plant.says("--dry-run")
    assert f"Going on where the last one stopped: {count} messages are read already" in said
    assert "\n0 messages read again in " in said


def test_one_at_a_time(plant: Replayed) -> None:
    """A second one is refused while the first one runs."""
    with TableBuilder(plant.settings, RULES):
        done = linepulse(environment(plant.settings), "rebuild", "--dry-run")
        assert done.returncode == 2
        assert "another linepulse rebuild runs on this database" in done.stderr


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        ('CREATE INDEX mine ON "Alert" (line)', None),
        ('ALTER TABLE "Alert" ADD COLUMN note text', "other_tables"),
    ],
)
def test_live_tables_that_changed_after_it_was_cut_off(
    plant: Replayed, change: str, anew: str | None
) -> None:
    """An index is made in the new ones, too; where they can't be made alike, it begins anew. Both go live."""
    plant.write(story(seconds=30, seed=8))
    plant.live()
    with TableBuilder(plant.settings, RULES) as rebuild:
        rebuild.apply(rebuild.extents(), lambda _: None)
        rebuild.finish()
    plant.run(change)
    with TableBuilder(plant.settings, RULES) as rebuild:
        assert rebuild.not_resumed == anew
        assert rebuild.resumed == (anew is None)
    assert differing(plant.rebuild()) == {}
    made = "SELECT count(*) FROM pg_indexes WHERE schemaname = %s AND tablename = 'Alert'"
    assert plant.rows(made, ["public"]) == plant.rows(made, ["generation_1"])
