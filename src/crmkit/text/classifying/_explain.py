"""Says which words of a text made a linear classifier decide as it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.language import CHARACTER, WORD, find_segmenter, tokenize
from crmkit.text._texts import split_frame
from crmkit.text.features._grams import character_sequence
from crmkit.text.features._text_features import TextFeatures

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.language import Segmenter, TokenTable
    from crmkit.text.features._grams import Found

__all__ = ["explain"]

_BATCH = 10_000


def explain(
    classifier: Any, texts: Any, *, labels: Any = None, segmenter: Segmenter | str | None = "auto"
) -> pd.DataFrame:
    """Give the weight of each word of the original texts in a linear classifier's score.

    What a term adds to the score is shared equally among the words (or characters) it is made of, so the weights of a
    text add up to its score for the label, which is exactly ``classifier.decision_function``. For text-svm,
    text-logistic, text-ridge, text-naive-bayes and `MultiLabelTextClassifier`, with crmkit's own features. Cost: ten
    thousand short messages take about a second.

    Parameters
    ----------
    classifier : text classifier
        Fitted; one that has ``linear_weights``, or one wrapped around it (`CalibratedTextClassifier`,
        `RejectingClassifier`): explained is the score within, and where the answer is "unsure", the likeliest label. Of
        a `HierarchicalTextClassifier` that goes top-down it is the score of the parent; ``within_`` has the others.
    texts : list, array or Series of str, or table, shape (n_texts,)
        As for its ``predict``.
    labels : None, label, or array-like of shape (n_texts,), default=None
        Whose score to explain; None is the predicted label of each text. Of a `MultiLabelTextClassifier` it is every
        label that the text was given, one after the other, or the one that is nearest to being given.
    segmenter : callable, {"auto", "rjieba"} or None, default="auto"
        How Chinese is cut for reading: rjieba where it is installed, else single characters. The weights are those of
        the characters in a word, so their sum does not depend on it.

    Returns
    -------
    pandas.DataFrame
        Columns ``text_id`` (position of the text), ``label``, ``start``, ``end`` (half-open offsets into the original
        text), ``span`` and ``weight``, in the order of the texts. Each text begins with what does not come from its
        words, with ``start`` and ``end`` 0: the base of the label (``span`` is empty), then the columns beside the
        text (``span`` such as ``channel=phone``).

    Raises
    ------
    TypeError
        If the classifier is not linear, or uses other features.
    DataError
        If a label is none of the classifier's.

    Examples
    --------
    >>> from crmkit import text
    >>> model = text.TextSVM(random_state=0).fit(["I want a refund", "my card is lost"], ["refund", "card"])
    >>> found = text.explain(model, ["refund please"])
    >>> found.loc[found["weight"].idxmax(), "span"]
    'refund'
    """
    asked, classifier = classifier, _innermost(classifier)
    _require_linear(classifier)
    strings, frame = split_frame(texts, classifier.text_column)
    weights, base = classifier.linear_weights()
    rows, chosen = _chosen_labels(asked, classifier, texts, labels, len(strings))
    cut = find_segmenter(segmenter)
    parts = []
    for first in range(0, max(1, len(rows)), _BATCH):
        here = rows[first : first + _BATCH]
        words = _of_words(classifier.features_, strings[here], weights, chosen[first : first + _BATCH], cut)
        beside = None if frame is None else frame.iloc[here]
        outside = _outside(classifier, beside, weights, base, chosen[first : first + _BATCH])
        part = pd.concat([outside, words], ignore_index=True)
        part = part.sort_values(["text_id", "end", "start"], kind="stable", ignore_index=True)
        parts.append(part.assign(text_id=part["text_id"] + first))
    found = pd.concat(parts, ignore_index=True)
    asked_for = found["text_id"].to_numpy()
    found.insert(1, "label", classifier.classes_[chosen[asked_for]])
    found["text_id"] = rows[asked_for]
    return found


def _of_words(
    features: TextFeatures,
    strings: npt.NDArray[np.object_],
    weights: npt.NDArray[np.float64],
    chosen: npt.NDArray[np.int64],
    segmenter: Segmenter | None,
) -> pd.DataFrame:
    """Give the rows that come from the words of the texts."""
    table = tokenize(strings.tolist(), offsets=True)
    of_token = _token_weights(features, table, weights, chosen)
    pieces = character_sequence(table, segmenter, {}, grow=True)
    alone = np.flatnonzero(table.kind != CHARACTER)
    first = np.concatenate([alone, pieces.first])
    last = np.concatenate([alone, pieces.last])
    totals = np.concatenate([[0.0], np.cumsum(of_token)])
    owner = table.text[first]
    start, end = table.start[first], table.end[last]
    spans = [strings[text][a:b] for text, a, b in zip(owner.tolist(), start.tolist(), end.tolist(), strict=True)]
    return pd.DataFrame(
        {"text_id": owner, "start": start, "end": end, "span": spans, "weight": _sums(of_token, totals, first, last)}
    )


def _require_linear(classifier: Any) -> None:
    """Refuse what cannot be explained by spans."""
    if not callable(getattr(classifier, "linear_weights", None)):
        raise TypeError(
            "explain needs a linear text classifier (text-svm, text-logistic, text-ridge, text-naive-bayes, or "
            f"MultiLabelTextClassifier), got {type(classifier).__name__}"
        )
    classifier.linear_weights()
    if not isinstance(classifier.features_, TextFeatures):
        raise TypeError(
            f"explain needs crmkit's own features; {type(classifier.features_).__name__} does not say where in a text "
            "its values come from"
        )


def _innermost(classifier: Any) -> Any:
    """Give the classifier whose scores are added up, where others are wrapped around it."""
    while not callable(getattr(classifier, "linear_weights", None)) and hasattr(classifier, "estimator_"):
        classifier = classifier.estimator_
    return classifier


def _chosen_labels(
    asked: Any, classifier: Any, texts: Any, labels: Any, n_texts: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give rows of texts and the place of a label among the classes; the likeliest one where none was given."""
    if labels is None:
        labels = asked.predict(texts)
        if labels.ndim == 2:
            has = labels > 0
            nearest = (classifier.decision_function(texts) - classifier.thresholds_).argmax(axis=1)
            has[np.arange(n_texts), nearest] = True
            rows, given = np.nonzero(has)
            return rows, given
        if asked is not classifier:
            labels = np.where(np.isin(labels, classifier.classes_), labels, classifier.predict(texts))
    wanted = np.asarray(labels)
    if wanted.ndim == 0:
        wanted = np.repeat(wanted, n_texts)
    if wanted.shape != (n_texts,):
        raise DataError(f"labels must be one label, or one a text: {n_texts} texts, got shape {wanted.shape}")
    places = {label: place for place, label in enumerate(classifier.classes_.tolist())}
    chosen = np.array([places.get(label, -1) for label in wanted.tolist()], dtype=np.int64)
    if (chosen < 0).any():
        raise DataError(f"{int((chosen < 0).sum())} of the labels are none of the classifier's classes_")
    return np.arange(n_texts), chosen


def _sums(
    of_token: npt.NDArray[np.float64],
    totals: npt.NDArray[np.float64],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Add up the weights of tokens ``first`` to ``last``; those of one token are not rounded."""
    return np.where(first == last, of_token[first], totals[last + 1] - totals[first])


def _outside(
    classifier: Any,
    frame: pd.DataFrame | None,
    weights: npt.NDArray[np.float64],
    base: npt.NDArray[np.float64],
    chosen: npt.NDArray[np.int64],
) -> pd.DataFrame:
    """Give the rows that do not come from the text: the base, and the columns beside it."""
    owner = [np.arange(len(chosen))]
    spans = [[""] * len(chosen)]
    weight = [base[chosen]]
    if classifier.beside_ is not None and frame is not None:
        values = classifier.beside_.transform(frame).tocoo()
        names = classifier.beside_.get_feature_names_out()
        owner.append(values.row)
        spans.append(names[values.col].tolist())
        weight.append(values.data * weights[chosen[values.row], classifier.features_.n_columns_ + values.col])
    return pd.DataFrame(
        {
            "text_id": np.concatenate(owner),
            "start": 0,
            "end": 0,
            "span": [span for part in spans for span in part],
            "weight": np.concatenate(weight),
        }
    )


def _token_weights(
    features: TextFeatures, table: TokenTable, weights: npt.NDArray[np.float64], chosen: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Share what each term adds among the tokens it is made of."""
    counts = features.count(table)
    values = features.weigh(table, counts)
    result = np.zeros(len(table.code))
    begin = 0
    for block, count in counts.items():
        each = _Each(count, values[block], features.columns_[block], weights[:, begin : begin + count.shape[1]], chosen)
        begin += count.shape[1]
        result += _from_letters(features, table, each) if block == "chars" else _from_top(features, table, each)
    return result


class _Each:
    """What one occurrence of a term adds to the score of its text's label."""

    def __init__(
        self,
        count: Any,
        value: Any,
        columns: npt.NDArray[np.int64],
        weights: npt.NDArray[np.float64],
        chosen: npt.NDArray[np.int64],
    ) -> None:
        count.sort_indices()
        value.sort_indices()
        self.columns = columns
        self.width = count.shape[1]
        rows = np.repeat(np.arange(count.shape[0]), np.diff(count.indptr))
        self.keys = rows * self.width + count.indices
        self.adds = value.data / count.data * weights[chosen[rows], count.indices]

    def __call__(self, text: npt.NDArray[np.int64], column: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Look up occurrences by text and column before pruning; a pruned term adds nothing."""
        place = np.minimum(np.searchsorted(self.columns, column), len(self.columns) - 1)
        keys = np.where(self.columns[place] == column, text * self.width + place, -1)
        if not len(self.keys):
            return np.zeros(len(keys))
        where = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[where] == keys, self.adds[where], 0.0)


def _shared(found: Found, adds: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """Share the weight of each n-gram equally among its symbols."""
    result = np.zeros(size)
    for step in range(found.length):
        result += np.bincount(found.first + step, weights=adds / found.length, minlength=size)
    return result


def _from_top(features: TextFeatures, table: TokenTable, each: _Each) -> npt.NDArray[np.float64]:
    """Give the tokens' weights by words, unspaced characters and signs."""
    result = np.zeros(len(table.code))
    begin = 0
    for sequence, lengths in features.occurrences(table).values():
        text = table.text[sequence.first]
        of_symbol = np.zeros(len(sequence.symbols))
        for found in lengths:
            adds = each(text[found.first], found.ids + (begin + found.begin))
            of_symbol += _shared(found, adds, len(of_symbol))
        begin += sum(found.width for found in lengths)
        covered = sequence.last - sequence.first + 1
        rows = np.repeat(sequence.last + 1 - np.cumsum(covered), covered) + np.arange(covered.sum())
        result[rows] += np.repeat(of_symbol / covered, covered)
    return result


def _from_letters(features: TextFeatures, table: TokenTable, each: _Each) -> npt.NDArray[np.float64]:
    """Give the words' weights by the characters within them."""
    letters, lengths = features.letters(table)
    owner = np.concatenate([letters[found.first] for found in lengths])
    order = np.argsort(owner, kind="stable")
    column = np.concatenate([found.ids + found.begin for found in lengths])[order]
    many = np.bincount(owner, minlength=len(table.words))
    begins = np.cumsum(many) - many
    rows = np.flatnonzero(table.kind == WORD)
    times = many[table.code[rows]]
    # The n-grams of a word stand together in `column`: step through them for every time the word stands in a text.
    step = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    which = np.repeat(begins[table.code[rows]], times) + step
    adds = each(np.repeat(table.text[rows], times), column[which])
    added = np.bincount(np.repeat(rows, times), weights=adds, minlength=len(table.code))
    return added.astype(np.float64, copy=False)
