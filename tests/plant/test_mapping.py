"""Machines that can't be changed: their names, units and words are read as ours, and named in refusals."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plant.line_rules import LineRules
from plant.mapping import read_data, read_status
from plant.rules import PlantError, read_plant
from plant.source import UNITS
from schemas.data import MEASURES
from schemas.errors import Poison
from schemas.payloads import Data, parse_data, parse_status
from schemas.raw import Kind
from tests.rules.line import Line
from tests.schemas.test_data import objects

MACHINE = """
[lines.ligne1]
running_words = ["RUN", "1"]
stopped_words = ["STOP", "0"]
[lines.ligne1.fields]
count = "data.cpt"
rate = "data.cadence"
target_rate = "consigne"
temperature = "temp"
pressure = "p"
running = "etat"
status = "etat"
reason = "motif"
[lines.ligne1.units]
rate = "per_hour"
temperature = "F"
pressure = "psi"
[lines.ligne1.scale]
temperature = 0.1
"""
RULES = LineRules.model_validate(read_plant(MACHINE).lines["ligne1"])


def said(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def refused(read, payload: bytes) -> Poison:
    with pytest.raises(Poison) as caught:
        read(payload, RULES)
    return caught.value


def test_names_units_and_words_of_a_machine_are_read_as_ours():
    """Nested names, pieces an hour, tenths of °F, psi, its own words."""
    payload = said(data={"cpt": 4, "cadence": 6930}, consigne=7200, temp=770, p=30, etat="run", rate=1)
    message = read_data(payload, RULES)
    assert message == Data(4, None, 120.0, 115.5, True, 25.0, 2.068427187)
    assert read_data(said(data={"cpt": 0}, etat=0), RULES).running is False


@pytest.mark.parametrize(
    ("rules", "sent", "read"),
    [
        ({"units": {"temperature": "K"}}, {"temperature": 298.15}, 25.0),
        ({"units": {"temperature": "F"}}, {"temperature": 77}, 25.0),
        ({"units": {"pressure": "mbar"}}, {"pressure": 2100}, 2.1),
        ({"units": {"pressure": "kPa"}}, {"pressure": 210}, 2.1),
        ({"units": {"pressure": "Pa"}}, {"pressure": 210_000}, 2.1),
        ({"units": {"rate": "per_second"}}, {"rate": 2}, 120.0),
        ({"units": {"rate": "per_hour"}}, {"targetRate": 7200}, 120.0),
        ({"scale": {"pressure": 0.5}, "offset": {"pressure": -1}}, {"pressure": 6.2}, 2.1),
        ({"scale": {"temperature": 2}, "offset": {"temperature": 37}, "units": {"temperature": "F"}},
         {"temperature": 20}, 25.0),
    ],
)  # fmt: skip
def test_units(rules, sent, read):
    """The machine's value, times scale, plus offset, converted from its unit to ours."""
    message = read_data(said(count=1, **sent), LineRules.model_validate(rules))
    name = {"targetRate": "target_rate"}.get(*[*sent] * 2)
    assert getattr(message, name) == read


def test_a_status_in_the_machines_words():
    """Bare, quoted, in JSON, as a number; ours are understood as before."""
    for payload in (b"RUN", b' "run" ', b"1", said(etat="RUN"), said(etat=1), said(etat=1.0), b"running"):
        assert read_status(payload, RULES).status == "running"
    status = read_status(said(etat="STOP", motif="bourrage"), RULES)
    assert (status.status, status.reason) == ("stopped", "bourrage")
    assert read_status(b"offline", RULES).status == "offline"
    assert refused(read_status, b"marche").reason == "bad_status"


def test_what_is_wrong_is_said_in_the_machines_words():
    """Its name of the field, the value that it sent, what it may send."""
    poison = refused(read_data, said(data={"cpt": "x"}))
    assert (poison.facts["field"], poison.facts["value"]) == ("data.cpt", "x")
    poison = refused(read_data, said(data={"cpt": 1}, temp=1e12))
    assert (poison.facts["field"], poison.facts["value"]) == ("temp", "1000000000000.0")
    poison = refused(read_data, said(count=4))
    assert (poison.reason, poison.facts["field"]) == ("missing", "data.cpt")
    assert refused(read_data, b"{").reason == "not_json"
    line = Line.at("10:00", MACHINE).says(data={"cpt": 1}, etat="AUTO")
    assert line.dead_letters[0].detail == "champ etat refusé: AUTO (attendu: un de ces mots: RUN, 1, STOP, 0)"
    line.says(Kind.STATUS, etat="AUTO")
    assert "RUN, 1, STOP, 0" in line.dead_letters[1].detail


def test_a_mapped_machine_has_the_same_rows_as_one_that_speaks_as_we_do():
    """From its message to the rows."""
    ours, theirs = Line.at("10:00"), Line.at("10:00", MACHINE)
    for n in range(40):
        runs = not 10 <= n < 20
        ours.says(count=4 * runs, rate=115.5, targetRate=120, running=runs, temperature=25.0)
        theirs.says(
            data={"cpt": 4 * runs, "cadence": 6930}, consigne=7200, etat="RUN" if runs else 0, temp=770
        )
        ours.silent(seconds=2)
        theirs.silent(seconds=2)
    assert (ours.samples, ours.orders, ours.stopped, ours.windows) == (
        theirs.samples,
        theirs.orders,
        theirs.stopped,
        theirs.windows,
    )


def outcome(read, *what) -> str:
    try:
        return repr(read(*what))
    except Poison as poison:
        return poison.reason


@settings(max_examples=500, deadline=None)
@given(objects() | st.binary(max_size=40))
@example(b'{"data": {"cpt": 1}, "temp": ' + b"9" * 400 + b"}")
def test_any_bytes_are_a_message_or_poison_and_without_rules_nothing_changes(payload):
    """There is no third way out."""
    for read, parse in ((read_data, parse_data), (read_status, parse_status)):
        assert outcome(read, payload, LineRules()) == outcome(parse, payload)
        outcome(read, payload, RULES)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('count_mode = "counter"', "lines.a: counter_max is missing"),
        ("counter_max = 99", 'counter_max means nothing without count_mode = "counter"'),
        ('defects_mode = "counter"', "lines.a: defects_max is missing"),
        ('count_mode = "counter"\ncounter_max = 9007199254740993', "lines.a.counter_max = 9007199254740993"),
        ('count_mode = "counter"\ncounter_max = 9\ncounter_max_rate = -1', "lines.a.counter_max_rate = -1"),
        ('units.rate = "per_day"', "lines.a.units.rate = 'per_day'"),
        ('fields.cuont = "x"', "lines.a.fields.cuont = 'x'"),
        ('running_words = ["ON"]\nstopped_words = ["on"]', "running_words and stopped_words both hold 'on'"),
    ],
)
def test_bad_rules_of_a_source_are_refused_with_the_line_and_the_key(text, named):
    """At start, not at the first message."""
    with pytest.raises(PlantError) as refused:
        read_plant(f"[lines.a]\n{text}")
    assert named in str(refused.value)


def test_every_measured_quantity_has_its_units() -> None:
    """But a number, which has none; one that is forgotten here would be taken for ours, whatever it is in."""
    assert set(MEASURES.values()) - {"number"} == set(UNITS)
