"""Links between ids: exact keys, closure, doubtful pairs, undoing."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import records
from crmkit.core.errors import DataError

SHOP = {
    "customer_id": ["s1", "s2", "s3"],
    "phone": ["138 0013 8000", "13900139000", None],
    "email": ["Lei@Mail.cn", None, "na@mail2.cn"],
}
CALLS = {"customer_id": ["c1", "c2"], "phone": ["+8613800138000", "13700137000"]}
CHAT = {"customer_id": ["t1", "t2"], "email": ["lei@mail.cn", "other@mail.cn"]}


def groups(links):
    return {frozenset(ids) for ids in links.persons.groupby(links.persons).groups.values()}


def reasons(frame):
    return set(frame[["customer_id", "other_id", "reason"]].itertuples(index=False, name=None))


def test_ids_with_an_equal_key_are_one_person_across_channels():
    links = records.link({"shop": SHOP, "calls": CALLS, "chat": CHAT})
    assert groups(links) == {frozenset(ids) for ids in (["s1", "c1", "t1"], ["s2"], ["s3"], ["c2"], ["t2"])}
    assert links.persons["t1"] == "s1"
    assert reasons(links.links) == {("s1", "c1", "same phone"), ("s1", "t1", "same e-mail")}
    assert links.links["tables"].tolist() == ["shop / calls", "shop / chat"]
    assert links.n_persons == 5


def test_a_chain_of_different_keys_is_one_person():
    tables = {
        "a": {"customer_id": ["1", "2"], "phone": ["13800138000", None], "email": [None, "x@mail.cn"]},
        "b": {"customer_id": ["3", "3"], "phone": ["13800138000", None], "email": [None, "X@mail.cn"]},
    }
    assert groups(records.link(tables)) == {frozenset({"1", "2", "3"})}


def test_an_own_key_links_too():
    tables = {"a": {"customer_id": ["1"], "union": ["u"]}, "b": {"customer_id": ["2"], "union": [" u "]}}
    links = records.link(tables, keys=["union"])
    assert reasons(links.links) == {("1", "2", "same union")}


def test_a_member_id_links_without_being_asked():
    tables = {"a": {"customer_id": ["1", "2"], "member_id": ["m", "m"]}}
    assert records.link(tables).n_persons == 1


def test_a_key_that_too_many_share_links_nobody_and_is_listed():
    desk = {"customer_id": [f"c{i}" for i in range(6)], "phone": ["13800138000"] * 6}
    links = records.link({"desk": desk})
    assert links.n_persons == 6
    assert len(links.links) == 0
    assert links.doubtful["reason"].unique().tolist() == ["same phone, shared by 6 ids"]
    assert len(links.doubtful) == 5
    assert records.link({"desk": desk}, max_ids=6).n_persons == 1


def test_birth_dates_that_differ_keep_a_group_apart_and_listed():
    family = {
        "customer_id": ["p", "q"],
        "phone": ["13800138000"] * 2,
        "birth_date": pd.to_datetime(["1960-01-01", "1990-01-01"]),
    }
    links = records.link({"family": family})
    assert links.n_persons == 2
    assert reasons(links.doubtful) == {("p", "q", "same phone, but birth dates in the group differ")}


def test_a_birth_date_on_one_side_or_equal_on_both_keeps_nobody_apart():
    family = {
        "customer_id": ["p", "q", "r"],
        "phone": ["13800138000"] * 3,
        "birth_date": ["1990-01-01", None, "1990-01-01"],
    }
    assert records.link({"family": family}).n_persons == 1


def test_names_and_addresses_are_listed_and_never_merged():
    people = {
        "customer_id": ["1", "2", "3", "4", "5"],
        "name": ["Wang Lei", "wang lei", "Li Na", "Li Na", "Zhao"],
        "birth_date": ["1990-01-01", "1990-01-01", "1980-01-01", "1981-01-01", None],
        "address": ["x", "y", "Main St. 1", "main st 1", None],
        "email": ["a@mail.cn", "b@mail.cn", "n.a@gmail.com", "na+x@gmail.com", None],
    }
    links = records.link({"people": people})
    assert links.n_persons == 5
    assert reasons(links.doubtful) == {
        ("1", "2", "same name and birth date"),
        ("3", "4", "same name and address"),
        ("3", "4", "e-mail differs only by a tag or dots"),
    }


def test_a_pair_that_is_linked_is_not_doubtful():
    people = {
        "customer_id": ["1", "2"],
        "name": ["a", "a"],
        "birth_date": ["1990-01-01"] * 2,
        "email": ["a@mail.cn"] * 2,
    }
    links = records.link({"people": people})
    assert links.n_persons == 1
    assert len(links.doubtful) == 0


def test_ids_of_different_systems_are_different_even_where_written_alike():
    tables = {
        "web": {"customer_id": ["17"], "email": ["a@mail.cn"]},
        "till": {"customer_id": ["17"], "email": ["b@mail.cn"]},
    }
    assert records.link(tables).n_persons == 1
    apart = records.link(tables, namespaces={"web": "w", "till": "t"})
    assert apart.persons.to_dict() == {"w:17": "w:17", "t:17": "t:17"}


def test_ids_of_plain_frames_are_compared_as_text():
    tables = {
        "a": pd.DataFrame({"customer_id": [17.0, 18.0], "email": ["a@mail.cn", "b@mail.cn"]}),
        "b": pd.DataFrame({"customer_id": ["17", "9"], "email": [None, "b@mail.cn"]}),
    }
    links = records.link(tables)
    assert links.persons.to_dict() == {"17": "17", "18": "18", "9": "18"}
    assert links.apply(pd.DataFrame({"customer_id": [9, 17]}))["person_id"].tolist() == ["18", "17"]
    assert records.timeline(18, tables, links=links)["table"].tolist() == ["a", "b"]


class TestUndoing:
    def test_a_link_can_be_undone(self):
        links = records.link({"shop": SHOP, "calls": CALLS, "chat": CHAT})
        phone = links.links.index[links.links["reason"] == "same phone"]
        undone = links.undo(phone)
        assert undone.persons["c1"] == "c1"
        assert undone.persons["t1"] == "s1"
        assert undone.links["undone"].tolist() == [True, False]
        assert links.persons["c1"] == "s1"

    def test_ids_stay_together_where_other_links_join_them(self):
        links = records.link({"a": {"customer_id": ["1", "2", "3"], "phone": ["13800138000"] * 3}})
        assert len(links.links) == 3
        assert links.undo(0).n_persons == 1
        assert links.undo([0, 1]).n_persons == 2

    def test_one_id_can_be_separated_from_all(self):
        links = records.link({"a": {"customer_id": ["1", "2", "3"], "phone": ["13800138000"] * 3}})
        assert groups(links.separate("2")) == {frozenset({"1", "3"}), frozenset({"2"})}

    def test_a_link_that_is_not_there_is_told(self):
        links = records.link({"a": SHOP})
        with pytest.raises(DataError, match="there is no link 7; there are 0 links"):
            links.undo(7)

    def test_an_id_that_is_not_there_is_told_without_showing_it(self):
        with pytest.raises(DataError) as caught:
            records.link({"a": SHOP}).separate("secret-9")
        assert "secret-9" not in str(caught.value)


def test_the_person_is_put_beside_every_row():
    links = records.link({"shop": SHOP, "calls": CALLS})
    table = links.apply(pd.DataFrame({"customer_id": ["c1", "new", None], "x": [1, 2, 3]}))
    assert table["person_id"].tolist()[:2] == ["s1", "new"]
    assert pd.isna(table["person_id"].iloc[2])
    indexed = links.apply(pd.DataFrame({"x": [1]}, index=pd.Index(["c1"], name="customer_id")))
    assert indexed["person_id"].tolist() == ["s1"]


def test_the_person_is_found_under_the_systems_name():
    tables = {
        "web": {"customer_id": ["17"], "email": ["a@mail.cn"]},
        "till": {"customer_id": ["5"], "email": ["a@mail.cn"]},
    }
    links = records.link(tables, namespaces={"web": "w"})
    assert links.apply({"customer_id": ["17"]}, name="web")["person_id"].tolist() == ["w:17"]
    assert links.apply({"customer_id": ["5"]}, name="till")["person_id"].tolist() == ["w:17"]


def test_its_repr_counts_and_shows_no_key():
    links = records.link({"shop": SHOP, "calls": CALLS, "chat": CHAT}).undo(0)
    shown = repr(links) + links._repr_html_()
    assert "7 ids are 6 persons" in shown
    assert "1 links undone" in shown
    assert "1380013" not in shown
    assert "mail.cn" not in shown


@pytest.mark.parametrize(
    ("tables", "options", "message"),
    [
        ({"a": {"customer_id": ["1"]}}, {}, "no table has customer_id together with any of phone, email, member_id"),
        ({"a": SHOP}, {"namespaces": {"b": "x"}}, "namespaces names 'b'"),
        ({}, {}, "tables is empty"),
    ],
)
def test_what_cannot_be_linked_is_told(tables, options, message):
    with pytest.raises(DataError, match=message):
        records.link(tables, **options)


def test_max_ids_must_allow_a_pair():
    with pytest.raises(ValueError, match="at least 2"):
        records.link({"a": SHOP}, max_ids=1)


def test_tables_must_be_named():
    with pytest.raises(TypeError, match="must map names to tables"):
        records.link([SHOP])


@given(
    edges=st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abcdefg")), max_size=25),
)
@settings(max_examples=25, deadline=None)
def test_persons_are_the_closure_of_shared_keys(edges):
    table = {"customer_id": [str(node) for node, _ in edges] + ["z"], "member_id": [key for _, key in edges] + ["zz"]}
    found = records.link({"t": table}, max_ids=100)
    # Brute force: join groups until nothing changes.
    parts = [{node} for node in dict.fromkeys(table["customer_id"])]
    for key in set(table["member_id"]):
        sharing = {node for node, own in zip(table["customer_id"], table["member_id"], strict=True) if own == key}
        joined = [part for part in parts if part & sharing]
        parts = [part for part in parts if not part & sharing] + [set().union(*joined)]
    assert groups(found) == {frozenset(part) for part in parts}
