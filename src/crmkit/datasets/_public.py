"""Public data sets by pinned address and checksum: found on this machine, or fetched where the caller says so."""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import tempfile
import tomllib
import urllib.parse
import urllib.request
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import pandas as pd

from crmkit.core.errors import DataError, IntegrityError
from crmkit.core.html import element, table
from crmkit.datasets._readers import read

__all__ = ["Source", "describe", "fetch", "load", "sources"]

_LOG = logging.getLogger("crmkit.datasets")
_VARIABLE = "CRMKIT_DATA"
_TIMEOUT = 60.0
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Source:
    """A public file: where it stands, what it must be, and on what terms.

    Parameters
    ----------
    name : str
        What ``load`` calls it.
    file : str
        Its place in a folder of data sets.
    repository, path, commit : str
        Its place on GitHub.
    bytes, rows : int
        Its size; 0 rows where it is no table.
    sha256 : str
        Its checksum.
    format : str
        How it is read.
    licence, citation : str
        As stated by its publisher. Some forbid commercial use, some say nothing: look before you use it.
    note : str
        What to know before using it.
    columns : tuple of str
        Names of the columns, where the file has none.
    """

    name: str
    file: str
    repository: str
    path: str
    commit: str
    bytes: int
    rows: int
    sha256: str
    format: str
    licence: str
    citation: str
    note: str
    columns: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Where the file can be had."""
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{urllib.parse.quote(self.path)}"

    def _repr_html_(self) -> str:
        shown = ("name", "file", "address", "bytes", "rows", "licence", "citation", "note")
        rows = [(name, str(getattr(self, name))) for name in shown]
        return element("div", table(("", ""), rows, caption="A public data set"))


@cache
def _listing() -> dict[str, Source]:
    """Read the listing that comes with the package."""
    text = resources.files("crmkit.datasets").joinpath("data", "public.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["source"]
    return {entry["name"]: Source(**{**entry, "columns": tuple(entry.get("columns", ()))}) for entry in entries}


def sources() -> pd.DataFrame:
    """List the public data sets that can be loaded by name.

    Returns
    -------
    pandas.DataFrame, indexed by name
        file, rows, bytes, licence, citation, note, address.

    Examples
    --------
    >>> from crmkit import datasets
    >>> int(datasets.sources().loc["cdnow", "rows"])
    69659
    """
    shown = ("file", "rows", "bytes", "licence", "citation", "note", "address")
    listed = _listing()
    rows = [[getattr(source, name) for name in shown] for source in listed.values()]
    return pd.DataFrame(rows, columns=list(shown), index=pd.Index(list(listed), name="name"))


def describe(name: str) -> Source:
    """Give what is known of a public data set: address, checksum, licence, citation.

    Parameters
    ----------
    name : str
        As in ``sources``.

    Returns
    -------
    Source
        It displays as a table in a notebook.

    Raises
    ------
    DataError
        If there is none of that name, with the nearest ones.

    Examples
    --------
    >>> from crmkit import datasets
    >>> datasets.describe("hillstrom").citation
    'Hillstrom (2008) The MineThatData E-Mail Analytics And Data Mining Challenge'
    """
    listed = _listing()
    if name not in listed:
        from difflib import get_close_matches

        nearest = get_close_matches(str(name), listed, n=3, cutoff=0.4)
        hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
        raise DataError(f"no public data set is called {name!r}{hint}; there are: {', '.join(listed)}")
    return listed[name]


def fetch(
    name: str, *, folder: str | os.PathLike[str] | None = None, download: bool = False, mirror: str | None = None
) -> Path:
    """Give the path of a public file, checked against its SHA-256 sum each time.

    It is looked for in ``folder``, or else in the folder that the environment variable ``CRMKIT_DATA`` names, or else
    in the user's cache. The network is used only if it is in none of them and ``download`` is True.

    Parameters
    ----------
    name : str
        As in ``sources``.
    folder : path or None, default=None
        Where to look, and where to put what is downloaded.
    download : bool, default=False
        Whether it may be downloaded.
    mirror : str or None, default=None
        An ``http`` or ``https`` address of a folder that holds the same files, for machines that cannot reach GitHub.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    IntegrityError
        If the file is not the one that was pinned, naming it.
    DataError
        If it is not on this machine and may not be, or cannot be, downloaded.

    Examples
    --------
    >>> from crmkit import datasets
    >>> datasets.fetch("cdnow", folder="no-such-folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    crmkit.core.errors.DataError: cdnow/CDNOW_master.txt is not in no-such-folder; pass download=True to fetch ...
    """
    source = describe(name)
    places = [Path(folder)] if folder is not None else _places()
    for place in places:
        path = place / source.file
        if path.is_file():
            _check(path, source)
            return path
    if not download:
        raise DataError(
            f"{source.file} is not in {' or '.join(map(str, places))}; pass download=True to fetch {source.bytes:,} "
            f"bytes from github.com/{source.repository} (licence: {source.licence}), or name another folder= "
            f"or {_VARIABLE}"
        )
    return _download(source, places[0] / source.file, mirror)


def load(
    name: str, *, folder: str | os.PathLike[str] | None = None, download: bool = False, mirror: str | None = None
) -> pd.DataFrame:
    """Load a public data set as a table, as it was published.

    Nothing is cleaned: ``describe(name).note`` says what to look out for, and ``records.read`` sets aside what cannot
    be used. The licence and the citation stand in ``.attrs`` and in the log (logger ``crmkit.datasets``, level INFO).

    Parameters
    ----------
    name : str
        As in ``sources``.
    folder, download, mirror
        As for ``fetch``.

    Returns
    -------
    pandas.DataFrame
        With the columns of the file; JSON and dialogues become one row a text.

    Raises
    ------
    IntegrityError, DataError
        As for ``fetch``; DataError also if the file is no table.
    MissingExtraError
        If a Parquet file is read without pyarrow.

    Examples
    --------
    >>> from crmkit import datasets
    >>> table = datasets.load("waimai", folder="data")  # doctest: +SKIP
    >>> table.attrs["citation"]  # doctest: +SKIP
    'SophonPlus/ChineseNlpCorpus (2018)'
    """
    source = describe(name)
    if source.format == "file":
        raise DataError(f"{name} is no table: take its path from datasets.fetch({name!r})")
    frame = read(fetch(name, folder=folder, download=download, mirror=mirror), source.format, source.columns)
    frame.attrs.update(licence=source.licence, citation=source.citation, address=source.address)
    _LOG.info("%s: %s; licence: %s", name, source.citation, source.licence)
    return frame


def _places() -> list[Path]:
    """Give the folders to look in."""
    cache_home = os.environ.get("XDG_CACHE_HOME")
    own = (Path(cache_home) if cache_home else Path.home() / ".cache") / "crmkit"
    named = os.environ.get(_VARIABLE)
    return [Path(named), own] if named else [own]


def _sum(path: Path) -> str:
    """Give the SHA-256 sum of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check(path: Path, source: Source) -> None:
    """Refuse a file that is not the one that was pinned."""
    found = _sum(path)
    if found != source.sha256:
        raise IntegrityError(
            f"{path} is not the file that was pinned: its SHA-256 is {found}, expected {source.sha256}; "
            "remove it and fetch it again"
        )


def _download(source: Source, target: Path, mirror: str | None) -> Path:
    """Fetch a file, and keep it only if it is the one that was pinned."""
    address = source.address if mirror is None else f"{mirror.rstrip('/')}/{urllib.parse.quote(source.file)}"
    if urllib.parse.urlsplit(address).scheme not in {"http", "https"}:
        raise DataError(f"mirror must be an http or https address, got {mirror!r}")
    _LOG.info("fetching %s from %s", source.name, address)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as folder:
        draft = Path(folder) / target.name
        try:
            _copy(address, draft, most=source.bytes)
        except (OSError, http.client.HTTPException) as error:
            raise DataError(f"{source.file} cannot be fetched from {address}: {error}") from error
        if _sum(draft) != source.sha256:
            raise IntegrityError(f"{source.file} from {address} is not the file that was pinned; nothing was kept")
        draft.replace(target)
    return target


def _copy(address: str, draft: Path, *, most: int) -> None:
    """Write what stands at an address to a file, never more than one byte over what is expected."""
    left = most + 1
    request = urllib.request.urlopen(address, timeout=_TIMEOUT)  # noqa: S310 -- http and https alone come this far
    with request as answer, draft.open("wb") as stream:
        while left and (chunk := answer.read(min(_CHUNK, left))):
            stream.write(chunk)
            left -= len(chunk)
