"""Files that were altered, or made to do harm, are refused before anything in them is used."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from crmkit import persistence
from crmkit.core.errors import CrmkitError, IntegrityError, PersistenceError
from crmkit.persistence._archive import write_archive
from crmkit.persistence._decode import read_npy


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "m.crmkit"
    return persistence.save({"values": np.arange(30.0), "text": "退款", "list": [1, 2]}, path)


def forge(tmp_path, tree, **members):
    """Write a file with right sums and wrong content, as an attacker can."""
    state = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    path = tmp_path / "forged.crmkit"
    return write_archive(path, {"format": 1, "class": "builtins:dict"}, {"state.json": state, **members})


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_change_of_any_byte_is_found(saved, tmp_path_factory, data):
    content = bytearray(saved.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("altered") / "m.crmkit"
    path.write_bytes(content)
    with pytest.raises((IntegrityError, PersistenceError)) as refused:
        persistence.load(path)
    if position >= 80:  # before that it may no longer look like a file of ours at all
        assert isinstance(refused.value, IntegrityError)


@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b[: len(b) // 2]], ids=["cut", "more", "half"]
)
def test_a_cut_or_extended_file_is_altered(saved, tmp_path, change):
    (tmp_path / "m").write_bytes(change(saved.read_bytes()))
    with pytest.raises(IntegrityError, match="m was altered: it was cut short or extended"):
        persistence.load(tmp_path / "m")


def test_what_is_no_file_of_ours_is_said_to_be_none(tmp_path):
    (tmp_path / "text").write_text("hello")
    with pytest.raises(PersistenceError, match="text is no file that crmkit saved"):
        persistence.load(tmp_path / "text")
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(PersistenceError, match="is a zip, but none that crmkit saved"):
        persistence.load(tmp_path / "zip")
    with pytest.raises(PersistenceError, match="cannot be read"):
        persistence.load(tmp_path / "absent")
    with pytest.raises(PersistenceError, match="cannot be written"):
        persistence.save(1, tmp_path / "no folder" / "m")


def rebuild(path, change):
    """Change the members of a saved file and give it a right sum again."""
    with zipfile.ZipFile(path) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    members = change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
        archive.comment = b"crmkit sha256 " + b"0" * 64
    content = buffer.getvalue()[:-64]
    return content + hashlib.sha256(content).hexdigest().encode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: [*m.items(), ("../../evil", b"x")], "a name that crmkit does not write"),
        (lambda m: [*m.items(), ("/etc/evil", b"x")], "a name that crmkit does not write"),
        (lambda m: [*m.items(), ("a\\b", b"x")], "a name that crmkit does not write"),
        (lambda m: [*m.items(), ("extra", b"x")], "holds extra, which its manifest does not list"),
        (lambda m: [(k, v) for k, v in m.items() if k != "state.json"], "state.json is missing"),
        (
            lambda m: [(k, v + b" " if k == "state.json" else v) for k, v in m.items()],
            "state.json does not have the sum",
        ),
        (lambda m: [("manifest.json", b"{"), *list(m.items())[1:]], "manifest is no JSON"),
        (lambda m: [("manifest.json", b"[]"), *list(m.items())[1:]], "manifest has no format"),
        (lambda m: [("manifest.json", b'{"format": 1}'), *list(m.items())[1:]], "lists no members"),
        (lambda m: [("other", b""), *list(m.items())[1:]], "no manifest"),
    ],
)
def test_members_that_do_not_fit_the_manifest_are_found(saved, tmp_path, change, message):
    (tmp_path / "m").write_bytes(rebuild(saved, change))
    with pytest.raises(IntegrityError, match=message):
        persistence.load(tmp_path / "m")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_found(saved, tmp_path):
    (tmp_path / "m").write_bytes(rebuild(saved, lambda m: [*m.items(), ("state.json", b"[]")]))
    with pytest.raises(IntegrityError, match=r"a name that crmkit does not write"):
        persistence.load(tmp_path / "m")


def test_a_later_format_is_refused_with_the_release_that_wrote_it(tmp_path):
    path = write_archive(tmp_path / "m", {"format": 2, "crmkit": "9.9"}, {"state.json": b"1"})
    with pytest.raises(
        PersistenceError, match=r"has format 2 and this crmkit reads up to 1: it was saved by crmkit 9\.9"
    ):
        persistence.load(path)


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = persistence.save(np.zeros(10_000_000), tmp_path / "m")
    assert path.stat().st_size < 200_000
    with pytest.raises(PersistenceError, match=r"unpacks to 80,0.* pass max_bytes="):
        persistence.load(path, max_bytes=10**6)


def test_a_bomb_inside_the_scikit_learn_part_is_not_unpacked(tmp_path):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b"0" * 5_000_000)
    path = forge(tmp_path, {"$": "scikit-learn", "v": 0}, **{"scikit-learn.skops": bomb.getvalue()})
    with pytest.raises(PersistenceError, match="the scikit-learn part unpacks to"):
        persistence.load(path, max_bytes=10**6)


@pytest.mark.parametrize(
    "address",
    [
        "os:system",
        "subprocess:Popen",
        "builtins:eval",
        "crmkit.persistence._store:json",
        "crmkit.persistence._archive:os.system",
        "crmkit.core.registry:import_module",
        "sklearn.utils._testing:os",
        "crmkit.nowhere:Thing",
        "crmkit.core.errors:Nothing",
        "not an address",
        "..:x",
    ],
)
@pytest.mark.parametrize("form", ["reference", "object", "enum", "namedtuple"])
def test_only_what_is_at_home_in_a_trusted_package_is_found(tmp_path, address, form):
    tree = {"$": form, "v": address if form == "reference" else {}, "class": address, "by": "attributes"}
    with pytest.raises(PersistenceError):
        persistence.load(forge(tmp_path, tree))


@pytest.mark.parametrize(
    "tree",
    [
        {"$": "object", "class": "crmkit.core.registry:create", "by": "attributes", "v": {}},
        {"$": "object", "class": "crmkit.core.estimate:Estimate", "by": "from_state", "v": {}},
        {"$": "object", "class": "crmkit.core.registry:Registry", "by": "attributes", "v": {"__class__": 1}},
        {"$": "enum", "class": "crmkit.core.registry:Registry", "v": "A"},
        {"$": "namedtuple", "class": "crmkit.core.registry:Registry", "v": []},
        {"$": "ufunc", "v": "fromfile"},
        {"$": "type", "v": "eval"},
        {"$": "array", "v": "arrays/none.npy"},
        {"$": "scalar", "dtype": "O", "v": "00" * 8},
        {"$": "sparse", "kind": "load_npz", "shape": [1, 1], "v": [[], [], []]},
        {"$": "Generator", "v": {"$": "dict", "v": [["bit_generator", "seed"]]}},
        {"$": "objects", "shape": [10**12], "v": [1]},
        {
            "$": "DataFrame",
            "index": {"$": "RangeIndex", "name": None, "v": [0, 10**12, 1]},
            "columns": {"$": "RangeIndex", "name": None, "v": [0, 1, 1]},
            "v": [{"$": "text", "na": "nan", "v": ["a"]}],
        },
        {"$": "unheard of"},
        {"no kind": 1},
        {"$": ["a"]},
        b"{",
        b"[" * 100_000,
    ],
    ids=lambda tree: str(tree)[:40],
)
def test_a_tree_with_right_sums_and_wrong_content_is_refused(tmp_path, tree):
    with pytest.raises(CrmkitError):
        persistence.load(forge(tmp_path, tree))


def test_sparse_indices_that_point_outside_are_refused(tmp_path):
    arrays = {}
    for name, values in [
        ("a", np.ones(1)),
        ("b", np.array([99], dtype=np.int32)),
        ("c", np.array([0, 1], dtype=np.int32)),
    ]:
        buffer = io.BytesIO()
        np.save(buffer, values)
        arrays[f"{name}.npy"] = buffer.getvalue()
    parts = [{"$": "array", "v": name} for name in arrays]
    with pytest.raises(PersistenceError):
        persistence.load(forge(tmp_path, {"$": "sparse", "kind": "csr_matrix", "shape": [1, 2], "v": parts}, **arrays))


def test_an_array_that_claims_more_than_it_holds_is_refused_before_memory_is_taken():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    content = buffer.getvalue().replace(b"(3,), }          ", b"(99999999999,), }")
    assert len(content) == len(buffer.getvalue())
    with pytest.raises(PersistenceError, match="does not fit"):
        read_npy(content)
    pickled = io.BytesIO()
    np.save(pickled, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(PersistenceError, match="does not fit"):
        read_npy(pickled.getvalue())
    with pytest.raises(PersistenceError, match="cannot be read"):
        read_npy(b"nonsense")


def skops_file(**schema):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", json.dumps({"protocol": 2, "_skops_version": "0.11", **schema}))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "schema",
    [
        {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": "system", "__id__": 1},
        {"__class__": "x"},
        {},
    ],
    ids=["os.system", "broken", "empty"],
)
def test_a_forged_scikit_learn_part_is_refused(tmp_path, schema):
    path = forge(tmp_path, {"$": "scikit-learn", "v": 0}, **{"scikit-learn.skops": skops_file(**schema)})
    with pytest.raises(PersistenceError):
        persistence.load(path)


def test_a_module_cannot_be_reached_through_scikit_learn(tmp_path):
    import sklearn.utils._testing
    import skops.io

    assert sklearn.utils._testing.os is __import__("os")
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps([KMeans]))) as archive:
        schema = archive.read("schema.json").decode()
    schema = schema.replace('"sklearn.cluster._kmeans"', '"sklearn.utils._testing"').replace('"KMeans"', '"os"')
    part = skops_file(**json.loads(schema))
    with pytest.raises(PersistenceError, match=r"needs sklearn\.utils\._testing:os, which is not defined there"):
        persistence.load(forge(tmp_path, {"$": "scikit-learn", "v": 0}, **{"scikit-learn.skops": part}))


def test_a_scikit_learn_part_that_is_no_zip_or_no_list_is_refused(tmp_path):
    with pytest.raises(IntegrityError, match="the scikit-learn part was altered"):
        persistence.load(forge(tmp_path, {"$": "scikit-learn", "v": 0}, **{"scikit-learn.skops": b"x"}))
    import skops.io

    path = forge(tmp_path, {"$": "scikit-learn", "v": 0}, **{"scikit-learn.skops": skops.io.dumps(KMeans())})
    with pytest.raises(PersistenceError, match="no list of estimators"):
        persistence.load(path)


def test_nothing_of_a_file_that_is_not_expected_is_imported(tmp_path):
    path = forge(tmp_path, {"$": "object", "class": "crmkit.core.registry:Registry", "by": "attributes", "v": {}})
    with pytest.raises(PersistenceError, match=r"holds a builtins:dict, expected crmkit\.value:Model"):
        persistence.load(path, expect="crmkit.value:Model")


def test_a_saved_file_has_the_rights_of_any_new_file(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    assert persistence.save(1, tmp_path / "m").stat().st_mode == plain.stat().st_mode


def test_a_number_too_long_to_write_is_refused(tmp_path):
    with pytest.raises(PersistenceError, match="a number that cannot be written"):
        persistence.save(10**5000, tmp_path / "m")


def test_an_older_file_stays_where_the_new_one_cannot_be_made(tmp_path):
    path = persistence.save([1], tmp_path / "m")
    with pytest.raises(PersistenceError):
        persistence.save([object()], path)
    assert persistence.load(path) == [1]
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]
