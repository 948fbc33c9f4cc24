"""The file itself: a zip with the same bytes for the same content, and checks before anything in it is believed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import IntegrityError, PersistenceError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMAT", "MANIFEST", "canonical_json", "check_members", "read_archive", "write_archive", "zip_bytes"]

FORMAT = 1
"""The version of the file's layout; a file of a later one is refused."""

MANIFEST = "manifest.json"

_MARK = b"crmkit sha256 "
_DIGEST = 64
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time a zip can hold
_NAME = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*\Z")
_MANIFEST_MOST = 16 * 2**20


def canonical_json(tree: Any) -> bytes:
    """Write JSON with one spelling; every character outside ASCII is escaped, lone surrogates included."""
    try:
        return json.dumps(tree, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")
    except ValueError as error:  # Python writes no whole number of more than 4,300 digits
        raise PersistenceError(f"the model holds a number that cannot be written: {error}") from error


def zip_bytes(members: Mapping[str, bytes], *, comment: bytes = b"") -> bytes:
    """Make a deflated zip whose bytes depend on its content alone.

    Parameters
    ----------
    members : mapping of str to bytes
        In the order in which they shall stand.
    comment : bytes, default=b""
        The zip's comment.

    Returns
    -------
    bytes
        The file.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if name == MANIFEST else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
        archive.comment = comment
    return buffer.getvalue()


def write_archive(path: str | os.PathLike[str], manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> Path:
    """Write a file in one step: it is there whole or not at all.

    Parameters
    ----------
    path : str or path
        Where; the folder must exist.
    manifest : mapping
        JSON values; the members' sizes and sums are added.
    members : mapping of str to bytes
        Everything else.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    PersistenceError
        If it cannot be written.
    """
    target = Path(path)
    sums = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items()
    }
    head = json.dumps({**manifest, "members": sums}, indent=1, ensure_ascii=True).encode("ascii")
    content = zip_bytes({MANIFEST: head, **members}, comment=_MARK + b"0" * _DIGEST)[:-_DIGEST]
    content += hashlib.sha256(content).hexdigest().encode("ascii")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        try:
            with draft.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise PersistenceError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


def read_archive(path: str | os.PathLike[str], *, most: int) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read a file and check every byte of it before any is interpreted.

    Parameters
    ----------
    path : str or path
        The file.
    most : int
        How many bytes all members together may unpack to.

    Returns
    -------
    manifest : dict
        As written.
    members : dict of str to bytes
        Each checked against its sum.

    Raises
    ------
    PersistenceError
        If it is no file of crmkit, of a later format, or larger than allowed.
    IntegrityError
        If it was cut, extended or changed.
    """
    source = Path(path)
    try:
        content = source.read_bytes()
    except OSError as error:
        raise PersistenceError(f"{source} cannot be read: {error.strerror or error}") from error
    _check_whole(source, content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = check_members(archive, source.name, most=most)
            manifest = _read_manifest(archive, entries, source.name)
            members = {
                name: _unpack(archive, entries, name, expected, source.name)
                for name, expected in manifest["members"].items()
            }
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, KeyError, RuntimeError) as error:
        raise IntegrityError(f"{source.name} was altered: it cannot be unpacked") from error
    extra = sorted(set(entries) - {MANIFEST, *members})
    if extra:
        raise IntegrityError(
            f"{source.name} was altered: it holds {', '.join(extra)}, which its manifest does not list"
        )
    return manifest, members


def check_members(archive: zipfile.ZipFile, label: str, *, most: int) -> dict[str, zipfile.ZipInfo]:
    """Refuse a zip that names paths outside itself, one name twice, or unpacks to more than allowed.

    Parameters
    ----------
    archive : zipfile.ZipFile
        The zip, opened for reading.
    label : str
        Its name in messages.
    most : int
        How many bytes it may unpack to.

    Returns
    -------
    dict of str to zipfile.ZipInfo
        Its members by name.

    Raises
    ------
    PersistenceError
        If it is too large.
    IntegrityError
        If a name is not one that crmkit writes, or stands twice.
    """
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        if not _NAME.match(entry.filename) or ".." in entry.filename.split("/") or entry.filename in entries:
            raise IntegrityError(f"{label} was altered: a member has a name that crmkit does not write")
        entries[entry.filename] = entry
    total = sum(entry.file_size for entry in entries.values())
    if total > most:
        raise PersistenceError(
            f"{label} unpacks to {total:,} bytes and {most:,} are allowed: pass max_bytes={total} if you trust it"
        )
    return entries


def _check_whole(source: Path, content: bytes) -> None:
    """Compare the sum at the end of a file with what stands before it."""
    if not content.startswith(b"PK\x03\x04"):
        raise PersistenceError(f"{source.name} is no file that crmkit saved")
    digest = content[-_DIGEST:]
    if content[-_DIGEST - len(_MARK) : -_DIGEST] != _MARK:
        if MANIFEST.encode() in content[:64]:
            raise IntegrityError(f"{source.name} was altered: it was cut short or extended")
        raise PersistenceError(f"{source.name} is a zip, but none that crmkit saved")
    if hashlib.sha256(content[:-_DIGEST]).hexdigest().encode("ascii") != digest:
        raise IntegrityError(f"{source.name} was altered: its bytes do not have the sum they were saved with")


def _read_manifest(archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], label: str) -> dict[str, Any]:
    """Read the manifest and check that this crmkit understands the file."""
    if MANIFEST not in entries or entries[MANIFEST].file_size > _MANIFEST_MOST:
        raise IntegrityError(f"{label} was altered: it has no manifest")
    try:
        manifest = json.loads(archive.read(MANIFEST))
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{label} was altered: its manifest is no JSON") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise IntegrityError(f"{label} was altered: its manifest has no format")
    if manifest["format"] > FORMAT:
        raise PersistenceError(
            f"{label} has format {manifest['format']} and this crmkit reads up to {FORMAT}: "
            f"it was saved by crmkit {manifest.get('crmkit', 'unknown')}, update to load it"
        )
    members = manifest.get("members")
    if not isinstance(members, dict) or not all(isinstance(member, dict) for member in members.values()):
        raise IntegrityError(f"{label} was altered: its manifest lists no members")
    return manifest


def _unpack(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], name: str, expected: dict[str, Any], label: str
) -> bytes:
    """Read one member, never more of it than it says it has."""
    if name not in entries:
        raise IntegrityError(f"{label} was altered: {name} is missing")
    size = entries[name].file_size
    with archive.open(entries[name]) as member:
        content = member.read(size + 1)
    if (
        len(content) != size
        or size != expected.get("bytes")
        or hashlib.sha256(content).hexdigest() != expected.get("sha256")
    ):
        raise IntegrityError(f"{label} was altered: {name} does not have the sum in the manifest")
    return content
