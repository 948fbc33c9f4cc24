"""Learns to find names in texts from texts in which they are marked."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.language import find_segmenter
from crmkit.text._texts import read_texts
from crmkit.text.entities._alignment import entities_of, listed_places, tags_of, tokens_of
from crmkit.text.entities._chain import best_tags
from crmkit.text.entities._crfsuite import learn_weights
from crmkit.text.entities._features import FeatureTable
from crmkit.text.entities._marginals import log_probabilities
from crmkit.text.entities._segmented import find_words
from crmkit.text.entities._spans import SpanTable, read_spans
from crmkit.text.entities._tokens import batches, cut_tokens, sequence_bounds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from crmkit.language import Segmenter
    from crmkit.privacy import Entity
    from crmkit.text.entities._features import Words
    from crmkit.text.entities._gazetteer import Gazetteer
    from crmkit.text.entities._tokens import EntityTokens

__all__ = ["CRFEntities"]

_ROUNDS = {"averaged-perceptron": 10, "l-bfgs": 200}


class CRFEntities(BaseEstimator):
    """A linear-chain conditional random field that finds entities in Chinese, English and mixed texts.

    Every word, number, sign and character of an unspaced script is a token, and the model learns which tags (outside,
    or beginning, middle, end or whole of an entity) its surroundings speak for. python-crfsuite learns the weights;
    they are then held as arrays, so that a fitted model predicts, is saved and is loaded without it. Only complete
    entities are ever found.

    Use it where some thousand marked texts are at hand; for names that stand in a table of yours use `Gazetteer`, alone
    or as a feature of this one (``gazetteer=``). Fitting takes memory for every feature of every token (about 1 kB a
    token in all); predicting goes in batches.

    Parameters
    ----------
    algorithm : {"averaged-perceptron", "l-bfgs"}, default="averaged-perceptron"
        The perceptron is some seven times as quick and was no worse where measured; L-BFGS maximises the likelihood, so
        that `score_entities` gives probabilities.
    max_iter : int or None, default=None
        Passes over the texts. None: 10 for the perceptron, at most 200 for L-BFGS.
    l1, l2 : float, default=0.0 and 0.1
        Penalties on the weights; L-BFGS alone has them.
    min_feature_count : int, default=2
        Features that stand at fewer tokens of the training texts are left out: half the size and two thirds of the
        time, and no less right wherever measured.
    segmenter : callable, {"auto", "rjieba"} or None, default=None
        Cuts unspaced script into words, which become features. ``"rjieba"`` found more names in Chinese wherever
        measured.
    gazetteer : Gazetteer or None, default=None
        A fitted one, whose finds become features: the model learns how far each of its labels can be trusted.
    max_weights : int or None, default=None
        How many weights to keep, the largest; see `pruned`.
    random_state : int, RandomState or None, default=None
        Of the order in which the perceptron sees the texts.

    Attributes
    ----------
    labels_ : list of str
        The kinds of entities, sorted.
    n_weights_ : int
        How many weights the model has.

    Raises
    ------
    MissingExtraError
        If it is fitted without python-crfsuite (``pip install 'crmkit[ner]'``).

    Notes
    -----
    Offsets count code points of the text as it was given. An entity that begins or ends within a word (``WCG`` of
    ``WCGs``) is learned as the whole word. Texts of more than 256 tokens are tagged in pieces that end with a sentence.
    The model holds words of the training texts: treat its file as you treat them.

    References
    ----------
    Lafferty, J., McCallum, A., & Pereira, F. (2001). Conditional random fields. ICML 2001, 282-289.

    Collins, M. (2002). Discriminative training methods for hidden Markov models. EMNLP 2002, 1-8.
    doi:10.3115/1118693.1118694

    Okazaki, N. (2007). CRFsuite: a fast implementation of conditional random fields.

    Examples
    --------
    >>> import crmkit
    >>> texts = ["我在北京买的", "他在上海住", "我在南京住", "他在天津买的", "I live in Berlin", "she lives in Paris"]
    >>> spans = [[(2, 4, "city")]] * 4 + [[(10, 16, "city")], [(13, 18, "city")]]
    >>> model = crmkit.create("entity-recognizer", "crf", random_state=0).fit(texts, spans)
    >>> model.predict(["我在上海买的"])
    [[Entity(start=2, end=4, label='city')]]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "algorithm": [StrOptions({"averaged-perceptron", "l-bfgs"})],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "min_feature_count": [Interval(Integral, 1, None, closed="left")],
        "segmenter": [callable, StrOptions({"auto", "rjieba"}), None],
        "gazetteer": "no_validation",
        "max_weights": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        algorithm: str = "averaged-perceptron",
        max_iter: int | None = None,
        l1: float = 0.0,
        l2: float = 0.1,
        min_feature_count: int = 2,
        segmenter: Segmenter | str | None = None,
        gazetteer: Gazetteer | None = None,
        max_weights: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.algorithm = algorithm
        self.max_iter = max_iter
        self.l1 = l1
        self.l2 = l2
        self.min_feature_count = min_feature_count
        self.segmenter = segmenter
        self.gazetteer = gazetteer
        self.max_weights = max_weights
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, texts: Any, spans: Any) -> Self:
        """Learn from texts in which entities are marked.

        Parameters
        ----------
        texts : list, array or Series of str, length n_texts
            A missing text counts as empty.
        spans : list of lists, or table
            For each text its entities, each ``(start, end, label)`` with half-open offsets; or a table with
            ``text_id``, ``start``, ``end`` and ``label``.

        Returns
        -------
        CRFEntities
            Itself.

        Raises
        ------
        DataError
            If no entity is marked, or one is empty, outside its text, or overlaps another.

        Warns
        -----
        DataWarning
            If an entity is white space alone.
        """
        values = read_texts(texts, what="texts").tolist()
        table = read_spans(spans, values)
        if not len(table.text):
            raise DataError("spans mark no entity in any text: there is nothing to learn")
        self.labels_ = table.labels
        tokens = cut_tokens(values)
        first, last, _ = tokens_of(tokens, table.text, table.start, table.end)
        nowhere = first > last
        if nowhere.any():
            rows = positions(np.isin(np.arange(len(values)), table.text[nowhere])).replace("row", "text", 1)
            warnings.warn(f"entities of white space alone teach nothing: {rows}", DataWarning, stacklevel=3)
        tags, inside = tags_of(tokens, table)
        bounds = sequence_bounds(tokens, inside)
        self.features_ = FeatureTable()
        listed, words = self._beside(values, tokens)
        columns = self.features_.learn(tokens, listed, words, min_count=self.min_feature_count)
        perceptron = self.algorithm == "averaged-perceptron"
        options: dict[str, Any] = {"max_iterations": self.max_iter or _ROUNDS[self.algorithm]}
        if not perceptron:
            options |= {"c1": self.l1, "c2": self.l2}
        weights = learn_weights(
            columns,
            tags,
            bounds,
            1 + 4 * len(self.labels_),
            algorithm="ap" if perceptron else "lbfgs",
            options=options,
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
        )
        self.transition_ = weights.transition
        self.seen_ = weights.seen
        self._keep(weights.attribute, weights.tag, weights.value.astype(np.float32), self.max_weights)
        return self

    def predict(self, texts: Any) -> list[list[Entity]]:
        """Find the entities of each text.

        Parameters
        ----------
        texts : list, array or Series of str
            A missing text counts as empty.

        Returns
        -------
        list of list of Entity
            One list a text, in the order of the text, without overlaps; offsets are half-open.
        """
        found: list[list[Entity]] = []
        for batch, tokens, scores, bounds in self._scored(read_texts(texts, what="texts").tolist()):
            tags = best_tags(scores, self.transition_, bounds)
            first, last, label = entities_of(tags, len(self.labels_))
            table = SpanTable(
                len(batch), tokens.text[first], tokens.start[first], tokens.end[last], label, self.labels_
            )
            found += table.entities()
        return found

    def score_entities(self, texts: Any, entities: Any) -> list[npt.NDArray[np.float64]]:
        """Give the probability of entities, found by this model or by anyone.

        The probability that exactly this stretch is an entity of this label, whatever else the text holds, by the
        forward-backward algorithm. It costs some three times as much as `predict`.

        Parameters
        ----------
        texts : list, array or Series of str
            The texts.
        entities : list of lists, or table
            As for `fit`; they may overlap.

        Returns
        -------
        list of ndarray of float64
            One array a text, one number an entity in the order of the text (of a table: as sorted by text, start, and
            the longer first); 0 for a label that the model does not know, or an entity that begins or ends within a
            word.

        Raises
        ------
        DataError
            If the model is a perceptron, whose scores are no probabilities.
        """
        check_is_fitted(self, "weights_")
        if self.algorithm == "averaged-perceptron":
            raise DataError("the scores of the perceptron are no probabilities: fit with algorithm='l-bfgs'")
        values = read_texts(texts, what="texts").tolist()
        table = read_spans(entities, values, what="entities", overlaps=True)
        known = {label: place for place, label in enumerate(self.labels_)}
        label = np.array([known.get(name, -1) for name in table.labels], dtype=np.int64)
        result = np.zeros(len(table.text))
        done = 0
        for batch, tokens, scores, bounds in self._scored(values):
            rows = np.flatnonzero((table.text >= done) & (table.text < done + len(batch)))
            first, last, exact = tokens_of(tokens, table.text[rows] - done, table.start[rows], table.end[rows])
            numbers = label[table.label[rows]]
            piece = np.searchsorted(bounds, np.stack([first, last]), side="right")
            usable = exact & (numbers >= 0) & (piece[0] == piece[1])
            chosen = first[usable], last[usable], numbers[usable]
            result[rows[usable]] = np.exp(log_probabilities(scores, self.transition_, bounds, chosen))
            done += len(batch)
        return np.split(result, np.cumsum(np.bincount(table.text, minlength=len(values)))[:-1]) if values else []

    def pruned(self, max_weights: int) -> CRFEntities:
        """Give a smaller model: the largest weights alone, and the features that have any.

        Parameters
        ----------
        max_weights : int
            How many weights to keep, at least 1.

        Returns
        -------
        CRFEntities
            A new one; the model itself stays as it is. On disk a weight takes about ten bytes.
        """
        check_is_fitted(self, "weights_")
        if max_weights < 1:
            raise DataError(f"max_weights must be at least 1, got {max_weights}")
        smaller = CRFEntities()
        smaller.set_params(**(self.get_params(deep=False) | {"max_weights": int(max_weights)}))
        for name in ("labels_", "transition_", "seen_"):
            setattr(smaller, name, getattr(self, name))
        smaller.features_ = FeatureTable(self.features_.vocabulary, self.features_.symbols, list(self.features_.keys))
        attribute = np.repeat(np.arange(len(self.weight_counts_)), self.weight_counts_)
        smaller._keep(attribute, self.weight_tags_.astype(np.int64), self.weights_, max_weights)
        return smaller

    @property
    def n_weights_(self) -> int:
        """How many weights the model has."""
        check_is_fitted(self, "weights_")
        return len(self.weights_)

    def _keep(
        self,
        attribute: npt.NDArray[np.int64],
        tag: npt.NDArray[np.int64],
        value: npt.NDArray[np.float32],
        most: int | None,
    ) -> None:
        """Hold the largest weights, by feature, and forget features that have none."""
        order = np.lexsort((tag, attribute))
        if most is not None and most < len(value):
            largest = np.argsort(-np.abs(value[order]), kind="stable")[:most]
            order = order[np.sort(largest)]
        attribute, tag, value = attribute[order], tag[order], value[order]
        used, counts = np.unique(attribute, return_counts=True)
        self.features_.keep(used)
        self.weight_counts_ = counts.astype(np.uint16)
        self.weight_tags_ = tag.astype(np.uint16)
        self.weights_ = value

    def _beside(self, texts: Sequence[str], tokens: EntityTokens) -> tuple[list[npt.NDArray[np.int64]], Words | None]:
        """Give what the gazetteer and the segmenter say of the tokens."""
        segmenter = find_segmenter(self.segmenter)
        words = None if segmenter is None else find_words(texts, tokens, segmenter)
        return ([] if self.gazetteer is None else listed_places(self.gazetteer.find(texts), tokens)), words

    def _scored(
        self, texts: list[str]
    ) -> Iterator[tuple[list[str], EntityTokens, npt.NDArray[np.float32], npt.NDArray[np.int64]]]:
        """Give batches of texts with the score of each tag at each token."""
        check_is_fitted(self, "weights_")
        n_tags = len(self.seen_)
        starts = np.concatenate([[0], np.cumsum(self.weight_counts_, dtype=np.int64)])
        weights = sparse.csr_matrix(
            (self.weights_, self.weight_tags_, starts), shape=(len(starts) - 1, n_tags)
        ).toarray()
        for first, last in batches(texts):
            batch = texts[first:last]
            tokens = cut_tokens(batch)
            listed, words = self._beside(batch, tokens)
            columns = self.features_.find(tokens, listed, words)
            there = columns >= 0
            shape = (len(columns), len(weights))
            counts = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
            ones = np.ones(int(counts[-1]), dtype=np.float32)
            scores = sparse.csr_matrix((ones, columns[there], counts), shape=shape) @ weights
            scores[:, ~self.seen_] = -1e6
            yield batch, tokens, scores, sequence_bounds(tokens)
