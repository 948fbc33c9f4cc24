"""Which customers are alike: segments that are chosen, explained, and the same next month."""

from __future__ import annotations

from crmkit.segmentation._model import SegmentationModel
from crmkit.segmentation._segment import segment
from crmkit.segmentation.choosing._choice import Choice, choose_k
from crmkit.segmentation.choosing._choose_eps import EpsChoice, choose_eps
from crmkit.segmentation.explaining._profile import Profile
from crmkit.segmentation.explaining._rules import Rules
from crmkit.segmentation.over_time._comparison import Comparison
from crmkit.segmentation.segmenters._dbscan import DBSCAN
from crmkit.segmentation.segmenters._k_medoids import KMedoids
from crmkit.segmentation.segmenters._k_prototypes import KPrototypes
from crmkit.segmentation.segmenters._placing import PlacingSegmenter
from crmkit.segmentation.segmenters._rfm_rules import RfmRules

__all__ = [
    "DBSCAN",
    "Choice",
    "Comparison",
    "EpsChoice",
    "KMedoids",
    "KPrototypes",
    "PlacingSegmenter",
    "Profile",
    "RfmRules",
    "Rules",
    "SegmentationModel",
    "choose_eps",
    "choose_k",
    "segment",
]
