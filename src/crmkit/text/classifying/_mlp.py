"""A neural network on the main directions of words and characters."""

from __future__ import annotations

import math
import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.utils._param_validation import Interval

from crmkit.text.classifying._base import TextClassifier
from crmkit.text.classifying._input import SHARED_CONSTRAINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["TextMLP"]

_BATCH = 200
_FEWEST_STEPS = 500


def _often(values: Any) -> npt.NDArray[np.int64] | None:
    """Give the sparse features found in two texts at least: one alone points in no common direction."""
    if isinstance(values, np.ndarray):
        return None  # every dimension of a dense vector is in every text
    often = np.flatnonzero(np.bincount(values.indices, minlength=values.shape[1]) > 1)
    return often if len(often) else None


class TextMLP(TextClassifier):
    """A network with one hidden layer on the 256 main directions of TF-IDF (latent semantic analysis).

    The directions are found by a truncated singular value decomposition within `fit`, of the terms that stand in more
    than one training text; each text is brought to length
    one, and the network is trained for a fixed number of epochs. It comes near the linear classifiers at several
    times their cost; it pays with dense features such as sentence vectors, where lines do not suffice. Cost:
    decomposition linear in the number of terms in the texts, network linear in texts times epochs.

    Parameters
    ----------
    features : None, str, encoder or vectorizer, default=None
        None is `TextFeatures`; a name is a plugin of kind ``encoder``; an encoder has ``encode(texts)``;
        anything with ``fit`` and ``transform`` is a vectorizer. Changes the result.
    columns : "auto", sequence of str or None, default="auto"
        Columns of a table that are used beside the text. ``"auto"`` takes channel, direction, type and time where
        the training table has them; None uses the text alone. Changes the result.
    text_column : str, default="text"
        Which column of a table has the texts.
    n_components : int, default=256
        How many directions; dense features with no more dimensions than that are left as they are.
    hidden : int, default=256
        Width of the hidden layer.
    epochs : int, default=30
        Passes over the texts; small training sets get more, so that there are at least 500 steps.
    learning_rate : float, default=0.003
        First step of Adam.
    random_state : int, RandomState or None, default=None
        Decomposition, first weights and order of the texts; changes the result.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels, sorted.
    columns_ : list of str
        The columns used beside the text.
    learner_ : sklearn.neural_network.MLPClassifier
        The fitted learner; its classes are the places in ``classes_``.

    Raises
    ------
    DataError
        If all texts are empty, a label is missing, or a column is not there.
    TypeError
        If a text is no ``str`` (bytes included), or one text is given instead of many.
    ValueError
        If there is only one class.

    References
    ----------
    Halko, Martinsson, Tropp (2011). Finding structure with randomness. SIAM Review 53, 217-288, doi:10.1137/090771806.

    Examples
    --------
    >>> from crmkit.text import TextMLP
    >>> texts = ["我要退款", "退款没到", "where is my card", "card not arrived"]
    >>> TextMLP(random_state=0).fit(texts, ["refund", "refund", "card", "card"]).predict(["退款", "my card"]).tolist()
    ['refund', 'card']
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        **SHARED_CONSTRAINTS,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hidden": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        features: Any = None,
        columns: str | Sequence[str] | None = "auto",
        text_column: str = "text",
        n_components: int = 256,
        hidden: int = 256,
        epochs: int = 30,
        learning_rate: float = 0.003,
        random_state: Any = None,
    ) -> None:
        super().__init__(features=features, columns=columns, text_column=text_column)
        self.n_components = n_components
        self.hidden = hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the probability of each class.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n_texts, n_classes)
            Rows sum to 1.
        """
        return self._scores(X, "predict_proba")

    def _reduce(self, values: Any, codes: npt.NDArray[np.int64] | None) -> Any:
        """Project on the main directions and bring every text to length one, or every dense dimension to one scale."""
        if codes is not None:
            self.kept_ = _often(values) if values.shape[1] > self.n_components else None
            self.directions_ = None
        if self.kept_ is not None:
            values = values[:, self.kept_]
        if codes is not None and values.shape[1] > self.n_components:
            # Two power iterations: more change the accuracy by less than noise and double the time.
            self.directions_ = TruncatedSVD(self.n_components, n_iter=2, random_state=self.random_state).fit(values)
        if self.directions_ is not None:
            values = self.directions_.transform(values)
        if not isinstance(values, np.ndarray):
            values = values.toarray()
        if not self._encodes():
            return normalize(values)
        # An encoder's dimensions have scales of their own, and their lengths may carry the meaning.
        if codes is not None:
            self.scaler_ = StandardScaler().fit(values)
        return self.scaler_.transform(values)

    def _learn(self, values: Any, codes: npt.NDArray[np.int64]) -> Any:
        """Learn within the budget of epochs, without a warning that it was used up."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return super()._learn(values, codes)

    def _make_learner(self, values: Any) -> MLPClassifier:
        """Make the learner."""
        batch: Any = min(_BATCH, values.shape[0])
        enough = math.ceil(_FEWEST_STEPS / math.ceil(values.shape[0] / batch))
        return MLPClassifier(
            (self.hidden,),
            batch_size=batch,
            max_iter=max(self.epochs, enough),
            learning_rate_init=self.learning_rate,
            random_state=self.random_state,
        )
