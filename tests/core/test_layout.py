"""The rooms: who may import what, and what may lie where."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: Room -> top-level packages that no file of it may import, not even inside a function.
FORBIDDEN = {
    "kyodaku": {"scrapy", "twisted", "torch", "fastapi", "sqlalchemy", "crawler", "curation", "registry"},
    "crawler": {"torch", "torchvision", "curation", "registry"},
    "curation": {"scrapy", "twisted", "crawler", "registry"},
    "registry": {"scrapy", "twisted", "torch", "crawler", "curation"},
}
#: The one place of the core where Scrapy is meant.
SCRAPY_ADDON = "kyodaku/integrations/scrapy"

ROOMS = sorted(FORBIDDEN)


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def imports(source: str) -> Iterator[str]:
    """Top-level package of every import in `source`, wherever it stands, `import_module("x")` included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if called in ("import_module", "__import__", "find_spec") and isinstance(first, ast.Constant):
                yield str(first.value).split(".")[0]


def forbidden_imports(path: Path) -> set[str]:
    """What `path`, a file of a room, imports and may not."""
    relative = path.relative_to(ROOT)
    banned = set(FORBIDDEN[relative.parts[0]])
    if relative.as_posix().startswith(SCRAPY_ADDON):
        banned -= {"scrapy", "twisted"}
    return banned & set(imports(path.read_text("utf-8")))


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_what_they_may(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    wrong = {str(path.relative_to(ROOT)): found for path in files if (found := forbidden_imports(path))}
    assert not wrong


def test_the_scan_sees_lazy_and_dynamic_imports() -> None:
    source = (
        "def f():\n import scrapy.http\n from torch.nn import Linear\n"
        "import importlib\nimportlib.import_module('crawler.stage')\nfrom . import sibling\n"
    )
    assert set(imports(source)) == {"scrapy", "torch", "importlib", "crawler"}


def test_datasets_holds_no_python() -> None:
    assert not list((ROOT / "datasets").rglob("*.py")), "a package `datasets` would shadow Hugging Face's"


def test_nobody_hands_out_a_private_name() -> None:
    """A public name of the core is one that `__all__` lists, where a package has one."""
    for path in sorted((ROOT / "kyodaku").rglob("__init__.py")):
        tree = ast.parse(path.read_text("utf-8"))
        names = {
            element.value
            for node in tree.body
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
            for element in ast.walk(node.value)
            if isinstance(element, ast.Constant)
        }
        assert not [name for name in names if str(name).startswith("_") and name != "__version__"], path


def test_files_stay_small_enough_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if (count := len(path.read_text("utf-8").splitlines())) > 600
    }
    assert not long


#: Text of this machine, of a registry, or of whoever built it has no place in the repository.
STRANGERS = (
    r"/work/(main|shared)",
    r"\.\./shared",
    r"/root/",
    r"/home/[a-z]",
    r"pypi\.org",
    r"pythonhosted\.org",
    r"download\.pytorch\.org",
    r"registry\.npmjs\.org",
)


def test_nothing_names_this_machine_or_a_registry() -> None:
    pattern = re.compile("|".join(STRANGERS))
    found = []
    for path in tracked():
        if path == Path(__file__).resolve():
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert not found


def test_no_picture_is_committed() -> None:
    """No one's pictures; a drawing in docs/ that is text of our own may be."""
    pictures = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".tif", ".tiff", ".avif", ".svg"}
    drawings = {ROOT / "docs" / "architecture.svg"}
    assert not [str(path) for path in tracked() if path.suffix.lower() in pictures and path not in drawings]
