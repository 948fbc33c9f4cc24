"""Personal data as an entity recognizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.base import BaseEstimator

from crmkit.core.checks import as_texts
from crmkit.privacy._find import Entity, _wanted, find_in

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PersonalDataRecognizer"]


class PersonalDataRecognizer(BaseEstimator):
    """Marks personal data in texts by its form and check digits, as ``privacy.find`` does.

    It learns nothing, so it needs no ``fit``. Use it wherever an entity recognizer is taken; use ``privacy.find`` for a
    table. The time is linear in the length of the texts.

    Parameters
    ----------
    kinds : iterable of str, default=None
        Some of "email", "id-card", "bank-card", "mobile", "landline", "international-phone"; None for all.

    See Also
    --------
    crmkit.privacy.find : The same as a table.

    Examples
    --------
    >>> import crmkit
    >>> crmkit.create("entity-recognizer", "personal-data").predict(["写c1@example.com"])
    [[Entity(start=1, end=15, label='email')]]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {"kinds": [None, "array-like", frozenset, set]}

    def __init__(self, kinds: Iterable[str] | None = None) -> None:
        self.kinds = kinds

    def predict(self, texts: Any) -> list[list[Entity]]:
        """Find the personal data of each text.

        Parameters
        ----------
        texts : list, array or Series of str
            A missing text counts as empty.

        Returns
        -------
        list of list of Entity
            One list a text, in the order of the text, without overlaps; offsets are half-open.
        """
        self._validate_params()
        wanted = _wanted(self.kinds)
        return [find_in(text, wanted) for text in as_texts(texts)]

    def __sklearn_is_fitted__(self) -> bool:
        """Say that nothing has to be learnt."""
        return True
