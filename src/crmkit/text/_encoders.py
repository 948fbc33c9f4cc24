"""Takes in encoders of texts: those that learn, trained ones, and plugins by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from crmkit.core.checks import positions
from crmkit.core.errors import CrmkitError, DataError
from crmkit.core.registry import create

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["encode_texts", "fit_encoder"]


def fit_encoder(given: Any, texts: list[str]) -> Any:
    """Give the encoder to use: a copy fitted on the texts of one that has ``fit``, any other as it is.

    Parameters
    ----------
    given : str or encoder
        The name of a plugin of kind ``encoder``, or an object with ``encode``.
    texts : list of str
        The training texts.

    Returns
    -------
    encoder
        Ready to encode.

    Raises
    ------
    TypeError
        If ``fit`` is not one that learns from texts and gives the encoder back, as that of models trained elsewhere.
    """
    named = isinstance(given, str)
    encoder = create("encoder", given) if named else given
    if not callable(getattr(encoder, "fit", None)):
        return encoder
    try:
        fresh: Any = encoder if named else clone(encoder, safe=False)
        fitted = fresh.fit(texts)
    except CrmkitError:
        raise
    except Exception as error:
        if callable(getattr(encoder, "get_params", None)):
            raise
        # Whatever another library's fit makes of texts: the way out is the same.
        raise TypeError(_not_ours(encoder, "failed on a list of texts")) from error
    if not callable(getattr(fitted, "encode", None)):
        raise TypeError(_not_ours(encoder, "gave no encoder back"))
    return fitted


def _not_ours(encoder: Any, what: str) -> str:
    """Say that the fit of a model means something else."""
    name = type(encoder).__name__
    return f"{name}.fit {what}; a model that is trained already stays as it is within text.FrozenEncoder({name}(...))"


def encode_texts(encoder: Any, texts: npt.NDArray[np.object_], first: int = 0) -> npt.NDArray[np.float64]:
    """Ask an encoder for vectors, and check what it gives.

    Parameters
    ----------
    encoder : object
        With ``encode``.
    texts : ndarray of object, shape (n_texts,)
        The texts.
    first : int, default=0
        The row of the first text, for messages.

    Returns
    -------
    ndarray of float64, shape (n_texts, n_dimensions)
        Finite numbers.

    Raises
    ------
    DataError
        If there is not one row a text, or a value is no finite number.
    """
    values = np.asarray(encoder.encode(texts.tolist()), dtype=np.float64)
    if values.ndim != 2 or len(values) != len(texts):
        raise DataError(
            f"{type(encoder).__name__}.encode must give one row a text: {len(texts)} texts, got shape {values.shape}"
        )
    wrong = ~np.isfinite(values).all(axis=1)
    if wrong.any():
        rows = positions(np.concatenate([np.zeros(first, dtype=bool), wrong]))
        raise DataError(f"{type(encoder).__name__}.encode gave values that are no numbers in {rows}")
    return values
