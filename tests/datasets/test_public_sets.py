"""Public data sets are found, checked, fetched only where asked for, and read as they are."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import http.server
import logging
import re
import threading

import pytest

from crmkit import datasets
from crmkit.core.errors import DataError, IntegrityError
from crmkit.datasets import _public
from crmkit.datasets._readers import read

CONTENT = "label,review\n1,好吃\n0,太慢\n".encode()


@pytest.fixture
def listed(monkeypatch, tmp_path):
    """Put a small file of our own in the place of one of the listing, and no folder in the environment."""
    source = dataclasses.replace(
        datasets.describe("waimai"), bytes=len(CONTENT), rows=2, sha256=hashlib.sha256(CONTENT).hexdigest()
    )
    monkeypatch.setattr(_public, "_listing", lambda: {"waimai": source})
    monkeypatch.delenv("CRMKIT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return source


@pytest.fixture
def server(tmp_path):
    """Serve a folder on this machine and count what is asked for."""
    folder = tmp_path / "served"
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", folder, asked
        running.shutdown()


def put(folder, source, content=CONTENT):
    path = folder / source.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_listing_pins_every_file():
    table = datasets.sources()
    assert table.index.is_unique
    assert len(table) == 20
    for name in table.index:
        source = datasets.describe(name)
        assert re.fullmatch(r"[0-9a-f]{40}", source.commit)
        assert re.fullmatch(r"[0-9a-f]{64}", source.sha256)
        assert source.address.startswith(f"https://raw.githubusercontent.com/{source.repository}/{source.commit}/")
        assert " " not in source.address
        assert source.bytes > 0
        assert source.licence
        assert source.citation


def test_an_unknown_name_gets_the_nearest_ones():
    with pytest.raises(DataError, match="no public data set is called 'banking'; nearest: banking77"):
        datasets.describe("banking")


def test_a_file_in_the_folder_is_checked_and_read(listed, tmp_path, caplog):
    put(tmp_path, listed)
    with caplog.at_level(logging.INFO, "crmkit.datasets"):
        table = datasets.load("waimai", folder=tmp_path)
    assert table["review"].tolist() == ["好吃", "太慢"]
    assert table.attrs["licence"] == listed.licence
    assert table.attrs["citation"] == listed.citation
    assert listed.licence in caplog.text


def test_the_environment_names_the_folder(listed, tmp_path, monkeypatch):
    path = put(tmp_path / "named", listed)
    monkeypatch.setenv("CRMKIT_DATA", str(tmp_path / "named"))
    assert datasets.fetch("waimai") == path


def test_an_altered_file_is_named_and_not_read(listed, tmp_path):
    path = put(tmp_path, listed, CONTENT + b"1,x\n")
    with pytest.raises(IntegrityError, match=re.escape(f"{path} is not the file that was pinned")):
        datasets.load("waimai", folder=tmp_path, download=True, mirror="http://127.0.0.1:9")


def test_nothing_is_fetched_unless_asked_for(listed, tmp_path, server):
    address, folder, asked = server
    put(folder, listed)
    with pytest.raises(
        DataError, match=r"pass download=True to fetch \d+ bytes from github.com/SophonPlus.*licence: not stated"
    ):
        datasets.fetch("waimai", folder=tmp_path / "empty", mirror=address)
    assert asked == []


def test_a_download_is_checked_kept_and_not_repeated(listed, tmp_path, server):
    address, folder, asked = server
    put(folder, listed)
    first = datasets.fetch("waimai", folder=tmp_path / "new", download=True, mirror=address + "/")
    second = datasets.fetch("waimai", folder=tmp_path / "new", download=True, mirror=address)
    assert first == second == tmp_path / "new" / listed.file
    assert first.read_bytes() == CONTENT
    assert asked == ["/" + listed.file]


def test_a_download_goes_to_the_cache_where_no_folder_is_named(listed, tmp_path, server):
    put(server[1], listed)
    path = datasets.fetch("waimai", download=True, mirror=server[0])
    assert path == tmp_path / "cache" / "crmkit" / listed.file


@pytest.mark.parametrize("content", [CONTENT[:-3], CONTENT * 1000, b"x" * len(CONTENT)], ids=["short", "long", "other"])
def test_a_wrong_download_leaves_nothing_behind(listed, tmp_path, server, content):
    put(server[1], listed, content)
    with pytest.raises(IntegrityError, match=r"waimai_10k.csv from http://127.*nothing was kept"):
        datasets.fetch("waimai", folder=tmp_path / "new", download=True, mirror=server[0])
    assert not [path for path in (tmp_path / "new").rglob("*") if path.is_file()]


@pytest.mark.usefixtures("listed")
def test_what_cannot_be_fetched_is_told_with_its_address(tmp_path, server):
    with pytest.raises(DataError, match=r"cannot be fetched from http://127.*404"):
        datasets.fetch("waimai", folder=tmp_path / "new", download=True, mirror=server[0])


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("mirror", ["file:///etc", "ftp://example.com", "no address"])
def test_only_http_is_spoken(tmp_path, mirror):
    with pytest.raises(DataError, match="mirror must be an http or https address"):
        datasets.fetch("waimai", folder=tmp_path, download=True, mirror=mirror)


def test_a_licence_text_is_no_table():
    with pytest.raises(DataError, match=r"is no table: take its path from datasets.fetch\('movielens-licence'\)"):
        datasets.load("movielens-licence")


def test_a_source_shows_its_licence_and_citation():
    shown = datasets.describe("hillstrom")._repr_html_()
    assert "MineThatData" in shown
    assert "not stated" in shown


@pytest.mark.parametrize(
    ("form", "content", "columns", "rows"),
    [
        ("csv", "\ufeffa,b\n1,\n", ["a", "b"], 1),
        ("words", " id  n\n 007  2\n", ["id", "n"], 1),
        ("json-lines", '{"text": "a\u2028b"}\n\n{"text": "c"}\n', ["text"], 2),
        ("splits", '{"train": [["hi", "greet"]], "test": []}', ["text", "label", "split"], 1),
        (
            "sessions",
            "\nUSER\thi\tINFORM\t3,3\nSYSTEM\tyes\tOK\t\n\n\nUSER\tx\ty\t1\n",
            ["conversation_id", "turn", "role", "text", "action", "satisfaction"],
            3,
        ),
    ],
)
def test_formats_are_read_as_they_are(tmp_path, form, content, columns, rows):
    path = tmp_path / "file"
    path.write_text(content, encoding="utf-8")
    table = read(path, form)
    assert list(table.columns) == columns
    assert len(table) == rows


def test_sessions_are_numbered_and_ids_keep_their_zeros(tmp_path):
    (tmp_path / "s").write_text("\nA\tb\tc\t1\n\nA\tb\tc\t1\nA\tb\tc\t1\n")
    assert read(tmp_path / "s", "sessions")[["conversation_id", "turn"]].to_numpy().tolist() == [[0, 0], [1, 0], [1, 1]]
    (tmp_path / "w").write_text(" 00004 0001 19970101  2   29.33\n")
    assert read(tmp_path / "w", "words", ("a", "b", "c", "d", "e"))["a"].tolist() == ["00004"]
    with pytest.raises(DataError, match="no reader for the format 'xml'"):
        read(tmp_path / "w", "xml")


@pytest.mark.parametrize(
    "name", ["cdnow-sample", "waimai", "banking77-test", "clinc150", "service-dialogues", "dialogsum"]
)
def test_the_published_files_have_the_rows_the_listing_says(data_file, name):
    source = datasets.describe(name)
    path = data_file(source.file)
    folder = path.parents[len(source.file.split("/")) - 1]
    assert len(datasets.load(name, folder=folder)) == source.rows
