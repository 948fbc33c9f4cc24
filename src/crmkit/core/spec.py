"""What a plugin says of itself before anything of it is imported."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["API", "ENTRY_POINT_GROUP", "PluginSpec"]

API = 1
"""The version of the plugin interface that this crmkit speaks."""

ENTRY_POINT_GROUP = "crmkit.plugins"
"""Where distributions list their ``module:SPECS``."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z")


@dataclass(frozen=True, kw_only=True)
class PluginSpec:
    """One algorithm, described without importing it.

    A spec is light on purpose: listing plugins reads specs only, and the algorithm behind ``target`` is imported when
    someone creates it. Specs stand in a tuple named in a distribution's entry point of group ``crmkit.plugins``.

    Parameters
    ----------
    kind : str
        What it is, for example ``"segmenter"``; decides which methods it must have.
    name : str
        Its name within the kind: lower-case words joined by hyphens.
    target : str
        ``"module:Class"`` or ``"module:function"``. A function is created as a partial of its parameters.
    summary : str
        One sentence for the list.
    api : int, default=1
        The plugin interface it was written for.
    defaults : mapping, default={}
        Parameters that ``create`` passes unless the caller says otherwise.
    requires : tuple of str, default=()
        Import names that must be installed beside crmkit itself.
    extra : str or None
        The extra of the plugin's distribution that installs ``requires``.
    inputs : tuple of str, default=()
        What it is given, in order: ``("table",)``, ``("texts",)``, ``("actual", "predicted")``.
    tags : frozenset of str, default=frozenset()
        For listing only; behaviour is decided by the object's methods.
    facts : mapping, default={}
        What callers may need to know before creating it: ``{"n_segments": "n_clusters"}`` says which parameter sets
        the number of segments, ``{"greater_is_better": False}`` which way an evaluator points.
    test_params : tuple of mapping, default=()
        Parameter sets for the conformance checks; where empty, its defaults are checked.
    reference : str, default=""
        Authors, year and DOI.

    Raises
    ------
    ValueError
        If a name or target is malformed, or a collection has the wrong type.

    Examples
    --------
    >>> from crmkit import PluginSpec
    >>> PluginSpec(kind="segmenter", name="k-means", target="sklearn.cluster:KMeans", summary="Lloyd's k-means.").module
    'sklearn.cluster'
    """

    kind: str
    name: str
    target: str
    summary: str
    api: int = API
    defaults: Mapping[str, Any] = field(default_factory=dict, hash=False)
    requires: tuple[str, ...] = ()
    extra: str | None = None
    inputs: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    test_params: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    reference: str = ""

    def __post_init__(self) -> None:
        patterns = {"kind": _NAME, "name": _NAME, "target": _TARGET}
        for what, pattern in patterns.items():
            text = getattr(self, what)
            if not isinstance(text, str) or not pattern.match(text):
                expected = "'module:attribute'" if what == "target" else "lower-case words joined by hyphens"
                raise ValueError(f"PluginSpec {what} must be {expected}, got {text!r}")
        expected_types = {"api": int, "requires": tuple, "inputs": tuple, "test_params": tuple}
        for what, expected_type in expected_types.items():
            given = getattr(self, what)
            if isinstance(given, bool) or not isinstance(given, expected_type):
                message = (
                    f"PluginSpec {what} of {self.kind} {self.name!r} must be {expected_type.__name__}, got {given!r}"
                )
                raise ValueError(message)  # noqa: TRY004 -- one error type for a malformed spec
        object.__setattr__(self, "tags", frozenset(self.tags))
        object.__setattr__(self, "defaults", MappingProxyType(dict(self.defaults)))
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))

    @property
    def module(self) -> str:
        """The module to import."""
        return self.target.partition(":")[0]

    @property
    def attribute(self) -> str:
        """What to take from the module."""
        return self.target.partition(":")[2]
