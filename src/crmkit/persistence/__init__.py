"""Models in one file each: no pickle, every byte checked, only trusted classes imported."""

from __future__ import annotations

from crmkit.persistence._store import load, manifest, save

__all__ = ["load", "manifest", "save"]
