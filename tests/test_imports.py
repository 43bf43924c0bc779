"""Packages know each other one way only: schemas <- plant <- {rules, runtime} <- the roles <- linepulse."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "schemas": set(),
    "plant": {"schemas"},
    "rules": {"schemas", "plant"},
    "runtime": {"schemas", "plant"},
    "bridge": {"schemas", "plant", "runtime"},
    "streams": {"schemas", "plant", "rules", "runtime"},
    "sinks": {"schemas", "plant", "runtime"},
    "dashboard": {"schemas", "plant", "rules", "runtime"},
    "rebuild": {"schemas", "plant", "rules", "runtime", "streams", "sinks"},
    "linepulse": {
        "schemas",
        "plant",
        "rules",
        "runtime",
        "bridge",
        "streams",
        "sinks",
        "dashboard",
        "rebuild",
    },
}
TOOLS = {"tests", "benchmarks", "chaos"}  # which may know everybody


def imported(source: str) -> set[str]:
    """The top packages that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def forbidden(package: str, source: str) -> set[str]:
    """Which of our packages a module of `package` may not know, and imports all the same."""
    return imported(source) & ({*MAY_IMPORT, *TOOLS} - MAY_IMPORT[package] - {package})


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    """No module of a package imports from a package above or beside it."""
    modules = list((ROOT / package).rglob("*.py"))
    assert modules
    wrong = {
        str(m.relative_to(ROOT)): bad for m in modules if (bad := forbidden(package, m.read_text("utf-8")))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("schemas", "from runtime.settings import Settings"),
        ("sinks", "def late():\n    import rules.fold"),
        ("runtime", "from linepulse import cli"),
        ("linepulse", "import tests.services"),
    ],
)
def test_a_wrong_import_is_seen(package: str, source: str) -> None:
    """The test above can fail, for imports inside functions as well."""
    assert forbidden(package, source)


def test_every_package_has_its_place() -> None:
    """A new package does not escape the rule."""
    packages = {folder.parent.name for folder in ROOT.glob("*/__init__.py")}
    assert packages - TOOLS == set(MAY_IMPORT)
