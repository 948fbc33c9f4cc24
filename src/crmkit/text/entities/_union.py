"""Several recognisers as one, the first having the last word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.base import BaseEstimator

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError
from crmkit.text._texts import read_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.privacy import Entity
    from crmkit.privacy.protocols import EntityRecognizer

__all__ = ["EntityUnion"]


class EntityUnion(BaseEstimator):
    """Asks several recognisers; where their finds share characters, the one that stands first in the list is right.

    Use it to let the company's own names (`Gazetteer`) go before what a model (`CRFEntities`) reckons, and both beside
    phone numbers (``personal-data``). The recognisers are used as they are: fit them before.

    Parameters
    ----------
    recognizers : sequence of recognisers
        Each with ``predict(texts)``, in the order of their authority.

    Examples
    --------
    >>> import crmkit
    >>> from crmkit.text import EntityUnion, Gazetteer
    >>> names = Gazetteer().fit({"product": ["小米手环"]})
    >>> both = EntityUnion([names, crmkit.create("entity-recognizer", "personal-data")])
    >>> both.predict(["小米手环坏了，请打15400001234"])
    [[Entity(start=0, end=4, label='product'), Entity(start=9, end=20, label='mobile')]]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {"recognizers": ["array-like"]}

    def __init__(self, recognizers: Sequence[EntityRecognizer]) -> None:
        self.recognizers = recognizers

    def predict(self, texts: Any) -> list[list[Entity]]:
        """Find entities in each text.

        Parameters
        ----------
        texts : list, array or Series of str
            A missing text counts as empty.

        Returns
        -------
        list of list of Entity
            One list a text, in the order of the text. Finds of one recogniser may overlap if it gives such.

        Raises
        ------
        DataError
            If there is no recogniser, or one does not give one list a text.
        """
        if not len(self.recognizers):
            raise DataError("recognizers must name at least one")
        values = read_texts(texts, what="texts").tolist()
        found: list[list[Entity]] = [[] for _ in values]
        for position, recognizer in enumerate(self.recognizers):
            require_methods(recognizer, ["predict"], role=f"recognizers[{position}]")
            answers = recognizer.predict(values)
            if len(answers) != len(values):
                raise DataError(
                    f"recognizers[{position}] gave {len(answers)} lists for {len(values)} texts: it must give one each"
                )
            for there, new in zip(found, answers, strict=True):
                there += [entity for entity in new if all(_apart(entity, other) for other in tuple(there))]
        return [sorted(entities) for entities in found]

    def __sklearn_is_fitted__(self) -> bool:
        """Say that nothing has to be learnt beyond its parts."""
        return True


def _apart(one: Entity, other: Entity) -> bool:
    """Say whether two entities share no character."""
    return one[1] <= other[0] or other[1] <= one[0]
