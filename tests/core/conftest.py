"""Really built and installed plugin distributions, each in a folder that a fresh interpreter can see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.0"
{extras}

[project.entry-points."crmkit.plugins"]
{package} = "{package}:SPECS"

[tool.hatch.build.targets.wheel]
packages = ["{package}"]
"""


class Site:
    """A folder into which distributions are installed, beside the environment's own packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources = folder.parent / f"{folder.name}-sources"

    def install(self, name: str, modules: dict[str, str], *, extras: str = "") -> None:
        """Write, build and install one distribution; ``modules`` maps file names to their text."""
        package = name.replace("-", "_")
        source = self.sources / name
        (source / package).mkdir(parents=True)
        (source / "pyproject.toml").write_text(PYPROJECT.format(name=name, package=package, extras=extras))
        for file, text in modules.items():
            (source / package / file).write_text(textwrap.dedent(text))
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", "install", *options, "--target", str(self.folder), str(source)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr

    def run(self, code: str) -> object:
        """Run code in a fresh interpreter that sees the folder; it leaves its answer in ``answer``."""
        script = f"import json\n{textwrap.dedent(code)}\nprint(json.dumps(answer))"
        path = os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")])
        run = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout.splitlines()[-1])


ACME = """
from functools import partial

from crmkit import PluginSpec

segmenter = partial(PluginSpec, kind="segmenter", target="acme_rings.rings:NearestRing")
SPECS = (
    segmenter(name="nearest-ring", summary="Rings around the centre."),
    segmenter(name="kmeans", summary="Takes a built-in's name."),
    segmenter(name="shared", summary="A name that two offer."),
    segmenter(name="from-tomorrow", summary="Speaks another api.", api=99),
    segmenter(name="needs-extra", target="acme_rings.needy:Needy", summary="Needs what is not there.",
              requires=("a_library_that_is_not_there",), extra="needy"),
    segmenter(name="breaks-inside", target="acme_rings.broken:Broken", summary="Its module raises."),
    segmenter(name="undeclared", target="acme_rings.undeclared:Needy", summary="Forgot to declare."),
    PluginSpec(kind="weather-forecaster", name="frog", target="acme_rings.rings:forecast", summary="A kind of its own.",
               defaults={"days": 3}),
)
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Site:
    """Three distributions: one with plugins good and bad, one that clashes with it, one that raises at import."""
    site = Site(tmp_path_factory.mktemp("site"))
    site.install(
        "acme-rings",
        {
            "__init__.py": ACME,
            "rings.py": """
                import numpy
                class NearestRing:
                    "Rings."
                    def __init__(self, n_rings=3): self.n_rings = n_rings
                def forecast(days, *, mood="fair"):
                    "Croak."
                    return [mood] * days
            """,
            "needy.py": "import a_library_that_is_not_there\nclass Needy: 'Needy.'",
            "undeclared.py": "import another_library_that_is_not_there\nclass Needy: 'Needy.'",
            "broken.py": "raise RuntimeError('the frog is ill')",
        },
        extras='[project.optional-dependencies]\nneedy = ["a-library-that-is-not-there"]',
    )
    site.install(
        "beta-rings",
        {
            "__init__.py": """
                from crmkit import PluginSpec
                ring = {"kind": "segmenter", "name": "shared", "target": "beta_rings.rings:Ring"}
                SPECS = (PluginSpec(summary="The other.", **ring),)
            """,
            "rings.py": "class Ring:\n    'Ring.'\n    n_rings = 7",
        },
    )
    site.install("ill-rings", {"__init__.py": "raise ValueError('ill at import')"})
    site.install("leaving-rings", {"__init__.py": "import sys; sys.exit(3)"})
    return site
