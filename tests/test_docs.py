"""The documentation names only what there is: files, folders, sections, classes, tests."""

import re
from pathlib import Path

import pytest
import yaml

from tests.commands import ROOT
from tests.test_imports import MAY_IMPORT, TOOLS

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"])
PACKAGES = {*MAY_IMPORT, *TOOLS}
PATH = re.compile(rf"(?:{'|'.join(sorted(PACKAGES | {'docs', 'deploy', '.ci'}))})/[\w./-]*")
MADE_LATER = ("sinks/migrations/versions/000N",)  # a recipe's own file


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def prose_of(page: Path) -> str:
    """Without blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", text_of(page), flags=re.S | re.M)


def quoted(page: Path) -> list[str]:
    """What stands between backticks, outside of blocks."""
    return re.findall(r"`([^`\n]+)`", prose_of(page))


def anchors_of(page: Path) -> set[str]:
    """A page's sections, as GitHub names them in links."""
    titles = re.findall(r"^#+ (.*)$", prose_of(page), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path):
    """To a file, and to a section of it."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_and_folder_is_there(page: Path):
    """Under the name that the page gives; a sentence may name a file by what stands before a blank."""
    named = [match[0] for text in quoted(page) if (match := PATH.fullmatch(text.partition(" ")[0]))]
    assert not [path for path in named if not path.startswith(MADE_LATER) and not (ROOT / path).exists()]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_test_is_there(page: Path):
    """In the file that is named before it."""
    missing, file = [], ""
    for text in quoted(page):
        if re.fullmatch(r"tests/[a-z_/]+\.py", text):
            file = text
        elif re.fullmatch(r"test_[a-z0-9_]+", text) and f"def {text}(" not in text_of(ROOT / file):
            missing.append((file, text))
    assert not missing


def test_every_decision_is_listed():
    """On the page on the architecture, in the order of their numbers."""
    listed = re.findall(r"\]\(decisions/([\w-]+\.md)\)", text_of(ROOT / "docs" / "architecture.md"))
    assert listed == sorted(page.name for page in (ROOT / "docs" / "decisions").iterdir())


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_every_package_is_in_the_table_of_folders(page: str):
    """A newcomer finds what each is for."""
    cells = [line.split("|")[1] for line in text_of(ROOT / page).splitlines() if line.startswith("|")]
    assert not [package for package in PACKAGES if not any(f"`{package}/`" in cell for cell in cells)]


def test_the_glossary_says_each_word_once():
    """Two rows of one word would be two meanings."""
    words = re.findall(r"^\| ([^|]+?) \|", text_of(ROOT / "docs" / "glossary.md"), flags=re.M)
    terms = [word for word in words if word not in ("word", "---")]
    assert len(terms) > 100
    assert sorted(set(terms)) == sorted(terms)


def sources() -> list[str]:
    """The code of all packages, a text a module."""
    return [text_of(module) for package in MAY_IMPORT for module in (ROOT / package).rglob("*.py")]


def classes_named(name: str) -> list[str]:
    """The bodies of the classes of that name."""
    pattern = rf"^class {name}\b.*?(?=^\S|\Z)"
    return [body for source in sources() for body in re.findall(pattern, source, flags=re.S | re.M)]


def test_every_class_that_the_glossary_names_is_there():
    """What the glossary and the code call a thing is one name."""
    named = set(re.findall(r"\(`([A-Z][A-Z]?[a-z]\w+)`\)", text_of(ROOT / "docs" / "glossary.md")))
    assert len(named) >= 10
    assert not [name for name in named if not classes_named(name)]


def test_every_method_that_the_architecture_names_is_there():
    """Where a step of the way is, and what answers a trap."""
    named = set(re.findall(r"`([A-Z]\w+)\.(\w+)", prose_of(ROOT / "docs" / "architecture.md")))
    assert len(named) >= 30
    assert not {
        f"{owner}.{name}"
        for owner, name in named
        if not any(re.search(rf"\b{name}\b", body) for body in classes_named(owner))
    }


def test_hooks_run_what_is_installed_already():
    """Nothing is downloaded: each is a local hook, and a tool that `make install` puts into .venv."""
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        assert re.match(r"\.venv/bin/(ruff|mypy|python)( |$)", hook["entry"])
