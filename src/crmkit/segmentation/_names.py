"""New names for segments, each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["new_names"]


def new_names(names: Sequence[str], changes: Mapping[str | int, str]) -> list[str]:
    """Rename segments by name or id.

    Parameters
    ----------
    names : sequence of str
        Present names by id, the last for customers in no segment, whose id is -1.
    changes : mapping of str or int to str
        New name by the present name or the id, also as text.

    Returns
    -------
    list of str
        All names.

    Raises
    ------
    ValueError
        If a segment is not there, a name is not text, or two would share a name.
    """
    renamed = list(names)
    ids = {name: segment for segment, name in enumerate(names[:-1])} | {names[-1]: -1}
    for old, new in changes.items():
        segment = ids.get(old) if isinstance(old, str) else int(old)
        if segment is None and str(old).removeprefix("-").isdecimal():
            segment = int(old)
        if segment is None or not -1 <= segment < len(names) - 1:
            raise ValueError(f"there is no segment {old!r}; the names are: {', '.join(map(repr, names))}")
        if not isinstance(new, str) or not new.strip():
            raise ValueError(f"the new name of {old!r} must be text, got {new!r}")
        renamed[segment] = new
    repeated = sorted({name for name in renamed if renamed.count(name) > 1})
    if repeated:
        raise ValueError(f"two segments would be named {', '.join(map(repr, repeated))}")
    return renamed
