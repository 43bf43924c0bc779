"""Finds the lines of keys and tables in a TOML file, for error messages only."""

import re
from collections import Counter, defaultdict

NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
NAMES = rf"{NAME}(?:\s*\.\s*{NAME})*"
TABLE = re.compile(rf"\s*(\[\[?)\s*({NAMES})\s*\]")
KEY = re.compile(rf"\s*({NAMES})\s*=\s*([^#]*)")


class TomlLines:
    """The lines of a TOML text on which its tables and keys begin; values of several lines are not parsed."""

    def __init__(self, text: str) -> None:
        self._line: dict[str, int] = {}
        self._changes: defaultdict[str, list[str]] = defaultdict(list)  # by their date: `change.0`, ...
        tables: Counter[str] = Counter()
        table = ""
        for number, line in enumerate(text.splitlines(), 1):
            if begins := TABLE.match(line):
                table = _path(begins[2])
                for array, count in tables.items():
                    if table.startswith(f"{array}."):  # a table of the array's latest entry
                        table = f"{array}.{count - 1}{table.removeprefix(array)}"
                if begins[1] == "[[":
                    tables[table] += 1
                    table = f"{table}.{tables[table] - 1}"
                self._found(table, number)
            elif key := KEY.match(line):
                self._found(f"{table}.{_path(key[1])}".removeprefix("."), number)
                if table.startswith("change.") and key[1] == "from":
                    self._changes[f"change from {key[2].strip().replace('T', ' ')}"].append(table)

    def of(self, problem: str) -> int | None:
        """The line of the key or table that a problem (`line.target = 3: ...`) begins with, if found."""
        for path in self._paths(re.split(r": | = ", problem)[0].rpartition(", ")[2]):
            parts = path.split(".")
            for length in range(len(parts), 0, -1):
                if line := self._line.get(".".join(parts[:length])):
                    return line
        return None

    def _paths(self, path: str) -> list[str]:
        for since, tables in self._changes.items():
            if path.startswith(since):
                key = path.removeprefix(since)
                return sorted((f"{table}{key}" for table in tables), key=lambda each: each not in self._line)
        return [path]

    def _found(self, path: str, number: int) -> None:
        parts = path.split(".")
        for length in range(1, len(parts) + 1):
            self._line.setdefault(".".join(parts[:length]), number)


def _path(names: str) -> str:
    return ".".join(name.strip("\"'") for name in re.findall(NAME, names))
