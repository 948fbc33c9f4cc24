"""``import crmkit`` and listing cost next to nothing and load nothing numeric."""

from __future__ import annotations

import statistics
import subprocess
import sys

import pytest

HEAVY = ("numpy", "pandas", "scipy", "sklearn", "narwhals", "importlib.metadata")
CPU = "import time; a = time.process_time(); {code}; print((time.process_time() - a) * 1000)"


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("code", "heavy"), [("import crmkit", HEAVY), ("import crmkit; crmkit.available()", HEAVY[:-1])]
)
def test_nothing_numeric_is_loaded(code, heavy):
    assert run(f"{code}; import sys; print([m for m in {heavy!r} if m in sys.modules])").strip() == "[]"


def test_the_public_modules_of_core_stand_on_the_standard_library():
    modules = ("errors", "spec", "registry", "checks", "estimate", "predicate", "chain", "html", "protocols")
    code = "; ".join(f"import crmkit.core.{module}" for module in modules)
    assert run(f"{code}; import sys; print([m for m in {HEAVY[:-1]!r} if m in sys.modules])").strip() == "[]"


def test_the_import_takes_under_30_cpu_milliseconds_over_a_bare_interpreter():
    # Process CPU time inside the interpreter, so that neither start-up nor a busy machine counts; best of several.
    times = [float(run(CPU.format(code="import crmkit"))) for _ in range(5)]
    assert min(times) < 30, f"median {statistics.median(times):.1f} ms"


def test_every_name_of_the_facade_is_there_and_nothing_else():
    import crmkit

    for name in crmkit.__all__:
        assert getattr(crmkit, name) is not None, name
        assert name in dir(crmkit)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        crmkit.nothing  # noqa: B018 -- the access is the test
