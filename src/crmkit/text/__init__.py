"""What customers write, in Chinese and English: its class, need, tone and names, in short, and what is new in it."""

from __future__ import annotations

from crmkit.text.causes._needs import needs
from crmkit.text.causes._opportunities import opportunities
from crmkit.text.causes._taxonomy import taxonomy
from crmkit.text.classifying._base import TextClassifier
from crmkit.text.classifying._bayes import TextNaiveBayes
from crmkit.text.classifying._columns import ColumnFeatures
from crmkit.text.classifying._explain import explain
from crmkit.text.classifying._gain import gain_of_columns
from crmkit.text.classifying._linear import TextLogistic, TextRidge, TextSVM
from crmkit.text.classifying._mlp import TextMLP
from crmkit.text.classifying._trees import TextForest, TextTree
from crmkit.text.contacts._conversations import conversations
from crmkit.text.contacts._figures import contact_figures
from crmkit.text.contacts._joined import contact_costs, contacts_per, satisfaction_after
from crmkit.text.contacts._repeats import repeat_contacts
from crmkit.text.contacts._volume import contact_volume
from crmkit.text.entities._crf import CRFEntities
from crmkit.text.entities._find import find_entities
from crmkit.text.entities._gazetteer import Gazetteer
from crmkit.text.entities._reading import drop_overlaps, read_conll, read_span_json
from crmkit.text.entities._tags import from_tags, to_tags
from crmkit.text.entities._union import EntityUnion
from crmkit.text.features._text_features import TextFeatures
from crmkit.text.keywords._corpus import keywords
from crmkit.text.keywords._single import keywords_of
from crmkit.text.labels._check import LabelCheck, check_labels
from crmkit.text.labels._errors import find_label_errors
from crmkit.text.labels._suggest import suggest_to_label
from crmkit.text.levels._hierarchical import HierarchicalTextClassifier
from crmkit.text.levels._multi_label import MultiLabelTextClassifier
from crmkit.text.protocols import Encoder, Summarizer, TopicFinder
from crmkit.text.rejecting._calibrated import CalibratedTextClassifier
from crmkit.text.rejecting._curve import rejection_curve
from crmkit.text.rejecting._rejecting import RejectingClassifier
from crmkit.text.similar._similar import SimilarCases, similar_cases
from crmkit.text.summaries._base import TextSummarizer
from crmkit.text.summaries._centroid import CentroidSummarizer
from crmkit.text.summaries._conversation import ConversationSummarizer
from crmkit.text.summaries._lead import LeadSummarizer
from crmkit.text.summaries._many import ManySummary, summarize_conversations, summarize_many
from crmkit.text.summaries._summary import ConversationSummary, Sentence, Summary
from crmkit.text.summaries._textrank import TextRankSummarizer
from crmkit.text.tone._aspects import aspect_sentiment, aspect_summary
from crmkit.text.tone._lexicon import LexiconSentiment, LexiconUrgency
from crmkit.text.topics._alarm import NewTopics, new_topics
from crmkit.text.topics._base import TopicModel
from crmkit.text.topics._choose import TopicChoice, choose_topics
from crmkit.text.topics._coherence import coherence
from crmkit.text.topics._lda import LDATopics
from crmkit.text.topics._lsa_kmeans import LSAKMeansTopics
from crmkit.text.topics._nmf import NMFTopics
from crmkit.text.topics._over_time import topics_over_time
from crmkit.text.topics._terms import ReadableTerms
from crmkit.text.topics._within import topics_within
from crmkit.text.vectors._fixed import FixedVectors
from crmkit.text.vectors._frozen import FrozenEncoder
from crmkit.text.vectors._joined import JoinedFeatures
from crmkit.text.vectors._read import read_vectors
from crmkit.text.vectors._word_vectors import WordVectors

__all__ = [
    "CRFEntities",
    "CalibratedTextClassifier",
    "CentroidSummarizer",
    "ColumnFeatures",
    "ConversationSummarizer",
    "ConversationSummary",
    "Encoder",
    "EntityUnion",
    "FixedVectors",
    "FrozenEncoder",
    "Gazetteer",
    "HierarchicalTextClassifier",
    "JoinedFeatures",
    "LDATopics",
    "LSAKMeansTopics",
    "LabelCheck",
    "LeadSummarizer",
    "LexiconSentiment",
    "LexiconUrgency",
    "ManySummary",
    "MultiLabelTextClassifier",
    "NMFTopics",
    "NewTopics",
    "ReadableTerms",
    "RejectingClassifier",
    "Sentence",
    "SimilarCases",
    "Summarizer",
    "Summary",
    "TextClassifier",
    "TextFeatures",
    "TextForest",
    "TextLogistic",
    "TextMLP",
    "TextNaiveBayes",
    "TextRankSummarizer",
    "TextRidge",
    "TextSVM",
    "TextSummarizer",
    "TextTree",
    "TopicChoice",
    "TopicFinder",
    "TopicModel",
    "WordVectors",
    "aspect_sentiment",
    "aspect_summary",
    "check_labels",
    "choose_topics",
    "coherence",
    "contact_costs",
    "contact_figures",
    "contact_volume",
    "contacts_per",
    "conversations",
    "drop_overlaps",
    "explain",
    "find_entities",
    "find_label_errors",
    "from_tags",
    "gain_of_columns",
    "keywords",
    "keywords_of",
    "needs",
    "new_topics",
    "opportunities",
    "read_conll",
    "read_span_json",
    "read_vectors",
    "rejection_curve",
    "repeat_contacts",
    "satisfaction_after",
    "similar_cases",
    "suggest_to_label",
    "summarize_conversations",
    "summarize_many",
    "taxonomy",
    "to_tags",
    "topics_over_time",
    "topics_within",
]
