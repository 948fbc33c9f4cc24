"""Which customers are alike: segments that are chosen, explained, and the same next month."""

from __future__ import annotations

from crmkit.segmentation._model import SegmentationModel
from crmkit.segmentation._segment import segment
from crmkit.segmentation.choosing._choice import Choice
from crmkit.segmentation.choosing._choose_eps import EpsChoice, choose_eps
from crmkit.segmentation.choosing._choose_k import choose_k
from crmkit.segmentation.choosing._stability import stability
from crmkit.segmentation.explaining._profile import Profile
from crmkit.segmentation.explaining._rules import Rules
from crmkit.segmentation.over_time._comparison import Comparison
from crmkit.segmentation.over_time._identity import Identity
from crmkit.segmentation.over_time._needs import Difference, LargestSize, LeastSize, Reachable, SegmentCount, Stable
from crmkit.segmentation.over_time._needs_report import NeedsReport
from crmkit.segmentation.over_time._tracking import Tracking, track
from crmkit.segmentation.segmenters._dbscan import DBSCAN
from crmkit.segmentation.segmenters._forest_proximity import ForestProximity
from crmkit.segmentation.segmenters._hdbscan import HDBSCAN
from crmkit.segmentation.segmenters._k_medoids import KMedoids
from crmkit.segmentation.segmenters._k_prototypes import KPrototypes
from crmkit.segmentation.segmenters._natural_breaks import JenksBreaks, jenks_breaks
from crmkit.segmentation.segmenters._placing import PlacingSegmenter
from crmkit.segmentation.segmenters._rfm_maps import rfm_segment_map
from crmkit.segmentation.segmenters._rfm_rules import RfmRules
from crmkit.segmentation.segmenters._rfm_score_table import rfm_scores
from crmkit.segmentation.segmenters._rfm_scores import RfmScores
from crmkit.segmentation.segmenters._support_vector_clustering import SupportVectorClustering

__all__ = [
    "DBSCAN",
    "HDBSCAN",
    "Choice",
    "Comparison",
    "Difference",
    "EpsChoice",
    "ForestProximity",
    "Identity",
    "JenksBreaks",
    "KMedoids",
    "KPrototypes",
    "LargestSize",
    "LeastSize",
    "NeedsReport",
    "PlacingSegmenter",
    "Profile",
    "Reachable",
    "RfmRules",
    "RfmScores",
    "Rules",
    "SegmentCount",
    "SegmentationModel",
    "Stable",
    "SupportVectorClustering",
    "Tracking",
    "choose_eps",
    "choose_k",
    "jenks_breaks",
    "rfm_scores",
    "rfm_segment_map",
    "segment",
    "stability",
    "track",
]
