"""What holds for every module of the source tree."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import crmkit

ROOT = Path(crmkit.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
EXTRAS = {
    "matplotlib", "jinja2", "duckdb", "pyarrow", "skops", "rjieba", "pycrfsuite", "phonenumbers", "cryptography",
    "lightgbm", "sparse_dot_topn", "hdbscan", "pytest", "hypothesis", "polars", "sqlalchemy", "dask", "pyspark",
}  # fmt: skip


def top_level_imports(tree):
    """Give the modules imported when the file itself is imported."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            waiting.extend(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_in_one_sentence_what_it_is_and_imports_no_extra(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    doc = ast.get_docstring(tree)
    assert doc, "no module docstring"
    assert len(re.findall(r"[.!?](?:\s|$)", doc)) <= 1, "more than one sentence"
    roots = {name.partition(".")[0] for name in top_level_imports(tree)}
    assert not roots & EXTRAS, "an extra is imported at the top"
    assert not roots & {"pickle", "marshal", "shelve", "dill", "joblib"}, "no pickle"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_runs_text_as_code(path):
    names = {"eval", "exec", "compile"}
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & names


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_there_is_no_drawer_for_everything(name):
    assert not [path for path in MODULES if path.stem.strip("_") == name]
