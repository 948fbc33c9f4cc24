"""Pictures of figures as small SVGs whose text stays text, each saying how many rows it rests on."""

from __future__ import annotations

from crmkit.pictures._axes import percent
from crmkit.pictures._charts import bars, curve, intervals
from crmkit.pictures._heat_map import heat_map
from crmkit.pictures._sketch import FONTS, Picture
from crmkit.pictures._snake import snake

__all__ = ["FONTS", "Picture", "bars", "curve", "heat_map", "intervals", "percent", "snake"]
