"""What a fuzzer found worth keeping goes through parser, fold and rows."""

from pathlib import Path

import pytest

from tests.fuzz.target import log_of, one_input

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_corpus_goes_through(path: Path):
    """Each is a small log; none breaks a rule or a row."""
    data = path.read_bytes()
    assert log_of(data)
    one_input(data)


def test_there_is_a_corpus():
    """Or nothing is replayed."""
    assert len(CORPUS) >= 10
