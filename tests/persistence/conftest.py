"""A plugin distribution that is really on the path, with metadata and an entry point."""

from __future__ import annotations

import sys
import textwrap

import pytest

from crmkit.core import registry

MODULE = """
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin


class Mode(Enum):
    FAST = "fast"


class Pair(NamedTuple):
    low: float
    high: float


@dataclass(frozen=True)
class Rule:
    name: str
    cuts: np.ndarray
    table: dict = field(default_factory=dict)

    @cached_property
    def widths(self):
        return np.diff(self.cuts)


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left, self.right = left, right


class WithState:
    def __init__(self, secret):
        self.secret = secret
        self.handle = lambda: secret

    def get_state(self):
        return {"secret": self.secret}

    @classmethod
    def from_state(cls, state):
        return cls(state["secret"])


class Remembering:
    _transient = ("cache",)

    def __init__(self):
        self.kept, self.cache = 1, object()


class Texts(list):
    pass


class Halves(ClusterMixin, BaseEstimator):
    def __init__(self, shift=0.0, tokenizer=None):
        self.shift = shift
        self.tokenizer = tokenizer

    def fit(self, X, y=None):
        self.cut_ = np.median(X[:, 0]) + self.shift
        self.labels_ = self.predict(X)
        return self

    def predict(self, X):
        return (X[:, 0] > self.cut_).astype(int)


def split(text):
    return text.split("|")
"""


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """Install a distribution `acme-crm` whose plugin stands in `acme_crm.parts:Halves`, and give the module."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "acme_crm").mkdir()
    (folder / "acme_crm" / "__init__.py").write_text("")
    (folder / "acme_crm" / "parts.py").write_text(MODULE)
    (folder / "acme_crm" / "plugins.py").write_text(
        textwrap.dedent("""
        from crmkit import PluginSpec

        SPECS = (PluginSpec(kind="segmenter", name="halves", target="acme_crm.parts:Halves", summary="Two halves."),)
        """)
    )
    metadata = folder / "acme_crm-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-crm\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[crmkit.plugins]\nacme = acme_crm.plugins:SPECS\n")
    sys.path.insert(0, str(folder))
    registry.refresh()
    import acme_crm.parts

    yield acme_crm.parts
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_crm"]:
        del sys.modules[name]
    registry.refresh()
