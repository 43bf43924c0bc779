"""The SQL statements: each has one name, is used, and is read by PostgreSQL without an error of syntax."""

import ast
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from runtime.sql import UnknownStatementError, composed, names, read, statement
from sinks.sums import sums
from tests.services import Services

ROOT = Path(__file__).parents[2]
PACKAGES = ("runtime", "bridge", "streams", "sinks", "dashboard", "rebuild", "linepulse")
SUBJECTS = {name.partition(".")[0] for name in names()}
DOTTED = re.compile(r"([a-z_]+)\.[a-z_]+")

# PL/pgSQL has words of its own for the end of a transaction.
ENDS_TRANSACTION = {"rows.back_to_savepoint"}
# What stands in braces is an identifier, but for these: a query, or the columns of one.
PARTS: dict[str, dict[str, Any]] = {
    "sums.of_windows": {"sums": sums()},
    "sums.fill": {"sums": sql.SQL("SELECT 1")},
    "sums.renew_hours": {"sums": sql.SQL("SELECT 1")},
}


def mentioned(package: str) -> set[str]:
    """The texts in a package's code that begin with a subject, as the name of a statement does."""
    found = set()
    for module in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                match = DOTTED.fullmatch(node.value)
                if match and match[1] in SUBJECTS:
                    found.add(node.value)
    return found


def whole(name: str) -> str:
    """The statement with a value for each of its parts."""
    parts = re.findall(r"\{([a-z_]+)\}", statement(name))
    if not parts:
        return statement(name)
    return composed(name, **dict.fromkeys(parts, "x") | PARTS.get(name, {})).as_string()


def parsed_only(text: str) -> str:
    """A block that has PostgreSQL parse a statement, without running it or looking for its tables."""
    text = re.sub(r"%(\(\w+\))?s", "NULL", text).replace("%%", "%")
    if text.startswith("("):  # which begins no statement of PL/pgSQL
        text = f"EXPLAIN {text}"
    return f"DO $parse$ BEGIN RETURN;\n{text}\n; END $parse$"


def test_every_statement_is_used():
    """A statement that is never run must be deleted."""
    used = set().union(*(mentioned(package) for package in PACKAGES))
    assert not set(names()) - used


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_in_the_code_exists(package: str):
    """What looks like a statement's name is one, or the key of a sentence."""
    catalogue = tomllib.loads((files("plant") / "catalogue.toml").read_text("utf-8"))
    sentences = {f"{section}.{key}" for section, keys in catalogue.items() for key in keys}
    assert not mentioned(package) - set(names()) - sentences


def test_names_are_written_out():
    """A name that is put together at run time would escape the tests above."""
    wrong = [
        f"{module.relative_to(ROOT)}:{node.lineno}"
        for package in PACKAGES
        for module in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"statement", "composed"}
        and not isinstance(node.args[0], ast.Constant | ast.Name | ast.Attribute)
    ]
    assert not wrong


def test_an_unknown_name_is_named():
    """The error says which statement was asked for."""
    with pytest.raises(UnknownStatementError, match=r"'cursors\.moved'"):
        statement("cursors.moved")


def test_a_file_is_read_as_its_statements():
    """The comment above a statement is for people; those within it, and all else, reach PostgreSQL."""
    text = "-- Of orders.\n\n-- name: one\n-- The first.\nSELECT 1 -- one\n\n-- name: two\nSELECT '{}'\n"
    assert read("orders", text) == {"orders.one": "SELECT 1 -- one", "orders.two": "SELECT '{}'"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SELECT 1;\n-- name: one\nSELECT 2\n", "above the first name"),
        ("-- name: one\n-- Nothing follows.\n", "one is empty"),
        ("-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n", "two statements are named orders.one"),
        ("-- name: \nSELECT 1\n", "no name"),
    ],
)
def test_a_file_that_is_wrong_is_refused(text: str, why: str):
    """Nothing is left out, and no statement takes the place of another, unnoticed."""
    with pytest.raises(ValueError, match=why):
        read("orders", text)


def test_every_statement_parses(services: Services):
    """PostgreSQL finds no error of syntax in any of them."""
    with psycopg.connect(services.database(), autocommit=True) as connection:
        for name in set(names()) - ENDS_TRANSACTION:
            try:
                connection.execute(parsed_only(whole(name)))
            except psycopg.Error as error:
                pytest.fail(f"{name}: {error}")
        with connection.transaction():
            for name in ("rows.savepoint", "rows.back_to_savepoint"):
                connection.execute(statement(name))


def test_an_error_of_syntax_is_seen(services: Services):
    """The test above can fail."""
    with psycopg.connect(services.database()) as connection, pytest.raises(psycopg.errors.SyntaxError):
        connection.execute(parsed_only("SELECT 1 FORM orders o"))
