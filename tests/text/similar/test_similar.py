"""Past cases like a message, against every pair worked out, and with their answers and remedies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.datasets import make_company
from crmkit.metrics import accuracy, wilson
from crmkit.text import SimilarCases, TextFeatures, similar_cases
from crmkit.text.similar import _similar


def talk(name, *turns, **columns):
    rows = [
        {
            "customer_id": f"c{name}",
            "conversation_id": name,
            "time": pd.Timestamp("2024-05-01", tz="UTC") + pd.Timedelta(minutes=5 * place),
            "direction": direction,
            "text": text,
            **columns,
        }
        for place, (direction, text) in enumerate(turns)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def past():
    return pd.concat(
        [
            talk(
                "1",
                ("in", "my parcel is late"),
                ("in", "please help"),
                ("out", "sent again"),
                ("out", "sorry"),
                ("in", "thanks"),
                ("out", "bye"),
                case_id="k1",
            ),
            talk("2", ("in", "退款一直没到账"), ("out", "已经为您登记"), case_id="k2"),
            talk("3", ("in", "the parcel is broken"), case_id="k3"),
            talk("4", ("out", "we have news"), ("in", "parcel parcel parcel"), ("out", "yes?"), case_id=None),
            talk("5", ("out", "only we speak")),
            talk("6", ("in", "my parcel is late"), ("out", "a voucher"), case_id="k6"),
        ],
        ignore_index=True,
    )


@pytest.fixture
def cases():
    return pd.DataFrame(
        {
            "case_id": ["k1", "k2", "k3", "k6"],
            "remedy": ["replacement", "refund", "refund", "voucher"],
            "outcome": [1.0, 1.0, 0.0, np.nan],
        }
    )


def test_cases_come_with_their_first_answer(past, cases):
    found = similar_cases("is my parcel late?", 10, messages=past, cases=cases)
    assert found["conversation_id"].tolist()[:2] == ["6", "1"]
    assert set(found["conversation_id"]) == {"1", "3", "4", "6"}
    one = found.set_index("conversation_id").loc["1"]
    assert one["text"] == "my parcel is late\nplease help"
    assert one["answer"] == "sent again\nsorry"
    assert (one["remedy"], one["worked"]) == ("replacement", True)
    assert found.set_index("conversation_id").loc["4", "answer"] == "yes?"
    assert pd.isna(found.set_index("conversation_id").loc["3", "answer"])
    assert found["worked"].isna().tolist() == found["outcome"].isna().tolist()
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert (found["similarity"].diff().dropna() <= 0).all()


def test_chinese_finds_chinese(past):
    found = similar_cases(["退款没收到", "parcel"], 1, messages=past)
    assert found["conversation_id"].tolist()[0] == "2"
    assert found["text_id"].tolist() == [0, 1]


def test_nothing_alike_is_nothing(past):
    finder = SimilarCases().fit(past)
    assert len(finder.find(["Ω", "", None])) == 0
    assert len(finder.find([])) == 0
    assert finder.find(["my parcel is late"], min_similarity=0.99)["conversation_id"].tolist() == ["6"]
    assert finder.n_cases_ == 5


def test_only_what_worked_where_that_is_asked(past, cases):
    finder = SimilarCases().fit(past, cases)
    assert set(finder.find(["parcel late"], 10, worked_only=True)["conversation_id"]) == {"1"}
    words = cases.assign(outcome=["kept", "kept", "lost", None])
    named = SimilarCases(good_outcomes=["kept"]).fit(past, words)
    assert named.find(["parcel late"], 10, worked_only=True)["conversation_id"].tolist() == ["1"]
    with pytest.raises(DataError, match="needs an outcome"):
        SimilarCases().fit(past).find(["a"], worked_only=True)


def test_remedies_are_counted_where_the_outcome_is_known(past, cases):
    table = SimilarCases().fit(past, cases).remedies(["the parcel"], min_similarity=0.0)
    assert table[["text_id", "remedy", "n", "worked"]].values.tolist() == [
        [0, "replacement", 1, 1.0],
        [0, "refund", 1, 0.0],
    ]
    assert table["low"][0] == pytest.approx(float(wilson(1, 1)[0]))
    with pytest.raises(DataError, match="no remedy and no outcome"):
        SimilarCases().fit(past).remedies(["a"])


def test_what_it_writes_of_itself_shows_no_text(past):
    finder = SimilarCases()
    assert repr(finder) == "SimilarCases(not fitted)"
    assert repr(finder.fit(past)) == "SimilarCases(5 cases)"


def test_it_is_cloned_and_saved(past, cases, tmp_path):
    finder = SimilarCases(keep=["remedy"], features=TextFeatures(chars=(0, 0)))
    assert clone(finder).get_params()["keep"] == ["remedy"]
    finder.fit(past, cases)
    crmkit.save(finder, tmp_path / "cases.crm")
    again = crmkit.load(tmp_path / "cases.crm")
    pd.testing.assert_frame_equal(again.find(["my parcel"]), finder.find(["my parcel"]))


@pytest.mark.parametrize("features", [None, TfidfVectorizer()])
@pytest.mark.parametrize("cells", [1, 4_000_000])
def test_the_best_are_those_of_all_pairs(monkeypatch, features, cells):
    monkeypatch.setattr(_similar, "_CELLS", cells)
    company = make_company(60, seed=2)
    messages = company.communications
    finder = SimilarCases(features=features).fit(messages, company.cases)
    texts = messages.loc[messages["direction"] == "in", "text"].iloc[:40].to_numpy(dtype=object)
    found = finder.find(texts, 4)
    own = finder.find(texts, finder.n_cases_).sort_values(["text_id", "rank"])
    remembered = own.drop_duplicates("conversation_id").set_index("conversation_id")["text"]
    values = normalize(finder.features_.transform(remembered.to_numpy(dtype=object)))
    queries = normalize(finder.features_.transform(texts))
    likeness = np.asarray((queries @ values.T).todense())
    for text_id, rows in found.groupby("text_id"):
        best = np.sort(likeness[text_id])[::-1][: len(rows)]
        np.testing.assert_allclose(rows["similarity"], best, atol=1e-5)
        places = remembered.index.get_indexer(rows["conversation_id"])
        np.testing.assert_allclose(likeness[text_id][places], rows["similarity"], atol=1e-5)
    assert (found["similarity"] <= 1 + 1e-5).all()
    joined = found[found["case_id"].notna()]
    known = company.cases.set_index("case_id").loc[joined["case_id"], "outcome"]
    np.testing.assert_array_equal(joined["outcome"].to_numpy(), known.to_numpy())


def test_the_earlier_of_equal_cases_comes_first():
    table = pd.concat([talk(str(number), ("in", "the same words")) for number in range(9)], ignore_index=True)
    assert SimilarCases().fit(table).find("the same words", 3)["conversation_id"].tolist() == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": ""}, "no conversation in which the customer wrote"),
        ({"customer_id": None}, "customer_id is missing"),
    ],
)
def test_tables_without_questions_are_refused(past, change, message):
    with pytest.raises(DataError, match=message):
        SimilarCases().fit(past.assign(**change))


def test_arguments_are_checked(past, cases):
    finder = SimilarCases().fit(past)
    with pytest.raises(DataError, match="n must be"):
        finder.find("a", 0)
    with pytest.raises(DataError, match="case_id stands more than once, again in row 4"):
        SimilarCases().fit(past, pd.concat([cases, cases.iloc[:1]], ignore_index=True))
    with pytest.raises(TypeError, match="features needs fit_transform"):
        SimilarCases(features=object()).fit(past)
    with pytest.raises(DataError, match="no column 'case_id'"):
        SimilarCases().fit(past, {"remedy": ["a"]})


def test_without_directions_every_row_is_the_customers(past):
    found = SimilarCases().fit(past.drop(columns="direction")).find("only we speak", 1)
    assert found["conversation_id"].tolist() == ["5"]


def test_the_nearest_question_is_mostly_of_the_same_kind(data_file):
    train, test = (pd.read_csv(data_file(f"banking77/{part}.csv")) for part in ("train", "test"))
    table = pd.DataFrame(
        {
            "customer_id": "a",
            "time": pd.Timestamp("2024-01-01", tz="UTC"),
            "text": train["text"],
            "label": train["category"],
        }
    )
    some = test.iloc[::10]
    found = SimilarCases().fit(table).find(some["text"], 1)
    assert len(found) == len(some)
    assert accuracy(some["category"].to_numpy(), found["label"].to_numpy()).low > 0.74


def test_a_case_without_an_id_is_that_of_no_conversation(past, cases):
    nameless = cases.assign(case_id=[None, *cases["case_id"].iloc[1:]])
    with pytest.raises(DataError, match="cases: case_id is missing in row 0"):
        SimilarCases().fit(past, nameless)
    with pytest.raises(DataError, match=r"no column 'case_id'.*cases are joined by it"):
        SimilarCases().fit(past.drop(columns="case_id"), cases)


def test_cases_that_cannot_be_joined_are_told(past, cases):
    with pytest.warns(DataWarning, match="case_id agrees with that of no message"):
        SimilarCases().fit(past, cases.assign(case_id=range(len(cases))))


def test_outcomes_of_which_none_is_good_are_told(past, cases):
    known = cases.assign(outcome="kept")
    with pytest.warns(DataWarning, match="no outcome is among good_outcomes"):
        SimilarCases().fit(past, known)
    assert SimilarCases(good_outcomes=["kept"]).fit(past, known).find("the parcel", 1)["worked"].all()


@pytest.mark.parametrize("least", [2, -0.1, float("nan"), "0.5", True])
def test_the_least_likeness_is_a_cosine(past, least):
    with pytest.raises(DataError, match="min_similarity must be"):
        SimilarCases().fit(past).find("a", min_similarity=least)


def test_what_every_case_has_is_not_kept_twice(past):
    with pytest.raises(DataError, match="every case has 'text' anyway"):
        SimilarCases(keep=["text", "remedy"]).fit(past)


def test_markup_makes_nothing_alike():
    table = pd.concat(
        [talk("1", ("in", "<div><p>my&nbsp;parcel</p></div>")), talk("2", ("in", "<div><p>退款</p></div>"))]
    )
    found = SimilarCases().fit(table).find("<div><p>my&nbsp;parcel</p></div>")
    assert found["conversation_id"].tolist() == ["1"]
    assert found["similarity"].tolist() == pytest.approx([1.0])
    assert SimilarCases().fit(table).find("my parcel")["similarity"].tolist() == pytest.approx([1.0])
