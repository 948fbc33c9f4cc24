"""Lets CRFsuite learn the weights, and takes them out of its model file as arrays."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import PluginVersionError
from crmkit.core.registry import require_extra

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

__all__ = ["Weights", "learn_weights", "read_weights"]

_FEATURE = np.dtype([("type", "<u4"), ("source", "<u4"), ("target", "<u4"), ("weight", "<f8")])
_STATE, _TRANSITION = 0, 1
_ATTRIBUTE_WIDTH, _TAG_WIDTH = 9, 5


@dataclass(frozen=True)
class Weights:
    """What a linear-chain CRF has learned.

    Attributes
    ----------
    attribute, tag : ndarray of int64, shape (n_weights,)
        Which feature speaks for which tag.
    value : ndarray of float64, shape (n_weights,)
        How much.
    transition : ndarray of float64, shape (n_tags, n_tags)
        From the tag of a row to that of a column.
    seen : ndarray of bool, shape (n_tags,)
        Tags that stood in training.
    """

    attribute: npt.NDArray[np.int64]
    tag: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    transition: npt.NDArray[np.float64]
    seen: npt.NDArray[np.bool_]


def learn_weights(
    columns: npt.NDArray[np.int64],
    tags: npt.NDArray[np.int64],
    bounds: npt.NDArray[np.int64],
    n_tags: int,
    *,
    algorithm: str,
    options: Mapping[str, Any],
    seed: int,
) -> Weights:
    """Train a linear-chain CRF.

    CRFsuite can train only into a file: it stands in a directory of its own, which is gone afterwards, also after an
    error. Features and tags go in as numbers, so that no text reaches that file.

    Parameters
    ----------
    columns : ndarray of int64, shape (n_tokens, n_templates)
        The features of each token, -1 for none.
    tags : ndarray of int64, shape (n_tokens,)
        The tag of each token.
    bounds : ndarray of int64, shape (n_sequences + 1,)
        Where each sequence begins and ends.
    n_tags : int
        How many tags there are.
    algorithm : {"ap", "lbfgs"}
        As CRFsuite calls it.
    options : mapping
        CRFsuite's own.
    seed : int
        Of the order in which the perceptron sees the sequences.

    Returns
    -------
    Weights
        All that are not zero.

    Raises
    ------
    MissingExtraError
        If python-crfsuite is not installed.
    """
    crfsuite = require_extra("pycrfsuite", "ner", "training a CRF")
    trainer = crfsuite.Trainer(algorithm, verbose=False)
    trainer.set_params(dict(options))
    names = [f"{number:0{_ATTRIBUTE_WIDTH}d}" for number in range(int(columns.max(initial=-1)) + 1)]
    tag_names = [f"{number:0{_TAG_WIDTH}d}" for number in range(n_tags)]
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        rows = [[names[column] for column in row if column >= 0] for row in columns[first:last].tolist()]
        trainer.append(rows, [tag_names[tag] for tag in tags[first:last].tolist()])
    with TemporaryDirectory(prefix="crmkit-") as folder:
        path = Path(folder) / "model"
        _seed(seed)
        trainer.train(str(path))
        return read_weights(path.read_bytes(), n_tags)


def _seed(seed: int) -> None:
    """Set the C library's generator, which CRFsuite shuffles by and offers no way to set."""
    library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
    library.srand(ctypes.c_uint(seed))


def read_weights(model: bytes, n_tags: int) -> Weights:
    """Read a model file of CRFsuite whose attributes and labels are numbers of fixed width.

    Its own way to list the weights writes them out as text, which takes a hundred times as long.

    Parameters
    ----------
    model : bytes
        The file.
    n_tags : int
        How many tags there are; some may not stand in the file.

    Returns
    -------
    Weights
        All that are not zero.

    Raises
    ------
    PluginVersionError
        If the file has another form than that of CRFsuite 0.12.
    """
    head = np.frombuffer(model, dtype="<u4", count=12) if len(model) >= 48 else np.zeros(12, dtype="<u4")
    if model[:4] != b"lCRF" or model[8:12] != b"FOMC" or head[3] != 100:
        raise PluginVersionError("the installed python-crfsuite writes a form of model that this crmkit cannot read")
    features_at, labels_at, attributes_at = (int(place) for place in head[7:10])
    count = int(np.frombuffer(model, dtype="<u4", count=3, offset=features_at)[2])
    features = np.frombuffer(model, dtype=_FEATURE, count=count, offset=features_at + 12)
    tag_of = _numbers(model, labels_at, _TAG_WIDTH)
    attribute_of = _numbers(model, attributes_at, _ATTRIBUTE_WIDTH)
    state = features[features["type"] == _STATE]
    moves = features[features["type"] == _TRANSITION]
    transition = np.zeros((n_tags, n_tags))
    transition[tag_of[moves["source"]], tag_of[moves["target"]]] = moves["weight"]
    seen = np.zeros(n_tags, dtype=bool)
    seen[tag_of] = True
    return Weights(
        attribute_of[state["source"]], tag_of[state["target"]], state["weight"].astype(np.float64), transition, seen
    )


def _numbers(model: bytes, place: int, width: int) -> npt.NDArray[np.int64]:
    """Read the numbers that a dictionary of the file holds as text, in the order of its ids."""
    if model[place : place + 4] != b"CQDB":
        raise PluginVersionError("the installed python-crfsuite writes a form of model that this crmkit cannot read")
    size, back = (int(part) for part in np.frombuffer(model, dtype="<u4", count=2, offset=place + 16))
    records = np.frombuffer(model, dtype="<u4", count=size, offset=place + back).astype(np.int64)
    content = np.frombuffer(model, dtype=np.uint8)
    digits = content[place + records[:, None] + 8 + np.arange(width)].astype(np.int64) - ord("0")
    return np.asarray(digits @ 10 ** np.arange(width - 1, -1, -1, dtype=np.int64), dtype=np.int64)
