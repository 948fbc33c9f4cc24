from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import crmkit
from crmkit import DataError
from crmkit.prediction import search, suggest

RNG = np.random.default_rng(0)


def _table(n):
    return pd.DataFrame(
        {
            "plan": RNG.choice(["a", "b", "c"], n),
            "age": np.where(RNG.random(n) < 0.1, np.nan, RNG.normal(40, 9, n)),
            "region": RNG.integers(0, 9, n),
        }
    )


LABELS = RNG.random(2000) < 0.3


def test_telco_gets_the_models_that_fit_and_what_to_mind(data_file):
    table = pd.read_csv(data_file("telco/WA_Fn-UseC_-Telco-Customer-Churn.csv"))
    found = suggest(table, table.pop("Churn"))
    assert found.names == ["logistic", "boosting", "forest"]
    assert found.kind == "classifier"
    assert "customerID" in found.notes[0]
    assert "1 columns with missing values" in found.table.loc["boosting", "why"]
    assert (found.table["seconds"] > 0).all()


def test_every_name_can_be_created_and_searched():
    found = suggest(_table(2000), LABELS)
    assert sorted(found.table.index) == sorted(name for name in crmkit.available("classifier") if "text-" not in name)
    for call in found.table["call"]:
        assert callable(eval(call, {"crmkit": crmkit}).fit)  # noqa: S307 -- what is shown must be what can be typed
    assert search(found.names[:1], _table(2000), LABELS, evaluators="roc-auc", cv=2).name == "logistic"


def test_numbers_get_regressors():
    found = suggest(_table(2000), RNG.normal(size=2000))
    assert (found.kind, found.names) == ("regressor", ["ridge", "boosting", "forest", "linear"])
    assert suggest(_table(2000), RNG.integers(0, 500, 2000)).kind == "regressor"
    assert suggest(_table(2000), RNG.integers(0, 500, 2000), kind="classifier").kind == "classifier"


def test_few_rows_speak_for_simple_models():
    found = suggest(_table(60), LABELS[:60])
    assert found.names[0] == "logistic"
    assert found.table.loc["boosting", "fit"] == "with care"
    assert found.table.loc["mlp", "fit"] == "does not fit"
    assert any("interval will be wide" in note for note in found.notes)


def test_many_rows_speak_against_kernels_and_large_forests():
    found = suggest(pd.DataFrame({"amount": np.arange(400_000.0)}), np.arange(400_000) % 2)
    assert found.table.loc["svm", "fit"] == "does not fit"
    assert "GB" in found.table.loc["forest", "why_not"]


def test_texts_get_the_classifiers_of_texts_by_name():
    texts = pd.Series([f"my card number {number} was not accepted at the shop" for number in range(300)])
    found = suggest(texts, LABELS[:300])
    assert found.names[:2] == ["text-logistic", "text-svm"]
    assert found.table.loc["boosting", "fit"] == "does not fit"
    chinese = suggest(
        pd.DataFrame({"留言": [f"第{n}次订单还没有送到请尽快退款给我" for n in range(300)]}), LABELS[:300]
    )
    assert chinese.names[0] == "text-logistic"
    mixed = suggest(pd.DataFrame({"remark": texts, "age": RNG.normal(size=300)}), LABELS[:300])
    assert "1 other columns beside" in mixed.table.loc["text-svm", "why"]
    assert mixed.table.loc["boosting", "fit"] == "with care"
    assert "does not read remark" in mixed.table.loc["boosting", "why_not"]


def test_what_deserves_care_is_noted():
    table = _table(2000).assign(
        signed=pd.Timestamp("2024-01-01"), city=[f"city {number % 90}" for number in range(2000)]
    )
    y = pd.Series(RNG.random(2000) < 0.02, dtype=object)
    y[5] = None
    found = suggest(table, y, groups=np.arange(2000) // 2)
    noted = " ".join(found.notes)
    for part in ("1 rows have no y", "region; if so", "signed are times", "pass groups=", "rarest label is"):
        assert part in noted
    assert "city" in found.table.loc["logistic", "why_not"]
    assert "note: " in repr(found)
    assert "<li>" in found._repr_html_()


def test_wide_and_sparse_tables():
    matrix = sparse.random(300, 900, 0.01, random_state=0, format="csr")
    found = suggest(matrix, LABELS[:300])
    assert "900 columns for 300 rows" in found.table.loc["logistic", "why_not"]
    assert found.table.loc["boosting", "fit"] == "does not fit"
    crowded = suggest(RNG.normal(size=(100, 50)), RNG.normal(size=100))
    assert crowded.table.loc["linear", "fit"] == "with care"


@pytest.mark.parametrize(
    ("X", "y", "options", "match"),
    [
        ([[1.0], [2.0]], ["a", "a"], {}, "one value only"),
        ([[1.0], [2.0]], ["a", "b", "a"], {}, "X has 2 rows, y has 3"),
        ([[1.0], [2.0]], ["a", "b"], {"kind": "clusterer"}, "kind must be"),
    ],
)
def test_what_nothing_can_be_suggested_for_is_refused(X, y, options, match):
    with pytest.raises(DataError, match=match):
        suggest(X, y, **options)
