"""Which customers are alike: segments that are chosen, explained, and the same next month."""

from __future__ import annotations

from crmkit.segmentation._choice import Choice, choose_k
from crmkit.segmentation._choose_eps import EpsChoice, choose_eps
from crmkit.segmentation._comparison import Comparison
from crmkit.segmentation._dbscan import DBSCAN
from crmkit.segmentation._k_medoids import KMedoids
from crmkit.segmentation._k_prototypes import KPrototypes
from crmkit.segmentation._model import SegmentationModel
from crmkit.segmentation._placing import PlacingSegmenter
from crmkit.segmentation._profile import Profile
from crmkit.segmentation._rfm_rules import RfmRules
from crmkit.segmentation._rules import Rules
from crmkit.segmentation._segment import segment

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
