"""No function is written and then never called: the condition of an alert, say, that no list holds."""

import ast
from pathlib import Path

from tests.test_imports import MAY_IMPORT

ROOT = Path(__file__).parents[1]
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def unused(source: str) -> set[str]:
    """The private functions and classes of a module that nothing in it reads but their own bodies.

    What is decorated may be called by whom it is registered with.
    """
    body = ast.parse(source).body
    private = {
        node.name
        for node in body
        if isinstance(node, DEFINITIONS) and node.name.startswith("_") and not node.decorator_list
    }
    return private - {name for node in body for name in _read(node) if name != getattr(node, "name", None)}


def _read(node: ast.AST) -> set[str]:
    parts = list(ast.walk(node))
    quoted = {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return quoted | {part.id for part in parts if isinstance(part, ast.Name)}


def test_every_private_function_is_called():
    """Its own recursion is no call."""
    modules = [path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py")]
    found = {str(path.relative_to(ROOT)): unused(path.read_text("utf-8")) for path in modules}
    assert len(found) > 100
    assert {path: names for path, names in found.items() if names} == {}


def test_a_function_that_nothing_calls_is_found():
    """Also where it calls itself."""
    assert unused("def _a(): _a()\ndef _b(): pass\ndef c(): _b()\n@c\ndef _d(): pass\n") == {"_a"}
