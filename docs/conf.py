"""How Sphinx builds the documentation."""

from __future__ import annotations

import os
from pathlib import Path

import crmkit
from crmkit.core.registry import available

project = "crmkit"
author = "The crmkit developers"
copyright = "2026, the crmkit developers"
version = release = crmkit.__version__

HERE = Path(__file__).parent
DATA = Path(os.environ.setdefault("CRMKIT_DATA", str(HERE.parents[1] / "shared" / "data")))

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "_gallery",
    "gallery/**/*.py",
    "gallery/**/*.ipynb",
    "gallery/**/*.md5",
    "gallery/**/*.zip",
]
html_theme = "furo"
html_title = f"crmkit {release}"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
# Entries such as "available(kind)" in a See Also need no page of their own.
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": str(HERE / "_gallery"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    # The gallery runs on public records; without them the pages show the code alone.
    "plot_gallery": DATA.is_dir(),
    "download_all_examples": False,
    "show_memory": False,
    "remove_config_comments": True,
}


def write_catalogue() -> None:
    """Write the page of all built-in algorithms from their specs."""
    lines = ["# Every algorithm", "", "Made from the specs: `crmkit plugins` prints the same.", ""]
    kinds = sorted({spec.kind for spec in available()})
    for kind in kinds:
        lines += [f"## {kind}", "", "| name | what it does | source |", "|---|---|---|"]
        specs = sorted((spec for spec in available() if spec.kind == kind), key=lambda spec: spec.name)
        lines += [f"| `{spec.name}` | {spec.summary} | {spec.reference} |" for spec in specs]
        lines.append("")
    page = HERE / "algorithms.md"
    text = "\n".join(lines)
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")


def own_members(cls: type) -> list[str]:
    """List the public methods and properties that crmkit itself defines, in a class or in one it derives from."""
    found: dict[str, None] = {}
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] == "crmkit":
            found.update(dict.fromkeys(name for name, member in vars(base).items() if is_documented(name, member)))
    return sorted(found)


def is_documented(name: str, member: object) -> bool:
    """Say whether a member has documentation of its own to show."""
    # What ends in an underscore stands among the class's attributes already.
    if name.startswith("_") or name.endswith(("_", "_request")):
        return False
    return isinstance(member, property | classmethod | staticmethod) or callable(member)


def write_api() -> None:
    """Write a page for each room that documents all that stands in its ``__all__``."""
    import importlib

    folder = HERE / "api"
    folder.mkdir(exist_ok=True)
    rooms = sorted(path.parent.name for path in (HERE.parent / "src" / "crmkit").glob("*/__init__.py"))
    names = [f"crmkit.{room}" for room in rooms if room != "core"]
    names += [
        f"crmkit.core.{module}"
        for module in ("checks", "chain", "errors", "estimate", "html", "predicate", "protocols", "registry", "spec")
    ]
    for name in names:
        module = importlib.import_module(name)
        lines = [f"# {name}", "", (module.__doc__ or "").strip(), "", "```{eval-rst}", f".. currentmodule:: {name}", ""]
        for public in module.__all__:
            thing = getattr(module, public)
            home = ".".join(str(getattr(thing, "__module__", "")).split(".")[:2])
            if home in names and home != name:
                # Handed on from another room: it is described there, once.
                lines += [f"``{public}`` is :obj:`{home}.{public}`.", ""]
            elif isinstance(thing, type):
                members = own_members(thing)
                lines += [f".. autoclass:: {public}", *([f"   :members: {', '.join(members)}"] if members else []), ""]
            elif callable(thing):
                lines += [f".. autofunction:: {public}", ""]
            else:
                lines += [f".. autodata:: {public}", "   :no-value:", ""]
        lines += ["```", ""]
        (folder / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")
    index = ["# API", "", "```{toctree}", ":maxdepth: 1", "", *names, "```", ""]
    (folder / "index.md").write_text("\n".join(index), encoding="utf-8")


def gather_gallery() -> None:
    """Put the scripts of the gallery into a folder of their own, away from the other examples."""
    folder = HERE / "_gallery"
    folder.mkdir(exist_ok=True)
    examples = HERE.parent / "examples"
    for source in (examples / "GALLERY_HEADER.rst", *sorted(examples.glob("plot_*.py"))):
        target = folder / source.name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.write_bytes(source.read_bytes())


write_catalogue()
write_api()
gather_gallery()
