"""How busy a machine was is read from Linux."""

from pathlib import Path

from chaos import pressure
from chaos.report import Report

TEXT = "some avg10=99.60 avg60=99.56 avg300=97.68 total={}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"


def test_the_share_of_time_in_which_somebody_waited(tmp_path: Path) -> None:
    """Three seconds of four, whatever was before."""
    file, now = tmp_path / "cpu", [100.0]
    file.write_text(TEXT.format(50_000_000))
    waited = pressure.Waited(file, lambda: now[0])
    file.write_text(TEXT.format(53_000_000))
    now[0] += 4.0
    assert waited.percent() == 75.0
    told = "a process waited for a core: 75 % of the time"
    assert told in Report(1, 10, 1, waited_percent=waited.percent()).text()


def test_a_machine_that_does_not_tell(tmp_path: Path) -> None:
    """An old kernel: nothing is reported, and nothing fails."""
    assert pressure.Waited(tmp_path / "none").percent() is None
    assert "waited for a core" not in Report(1, 10, 1).text()
