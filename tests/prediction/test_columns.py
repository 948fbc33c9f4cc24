"""Customer tables as they are: what becomes of each kind of column, and that every model takes them."""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

import crmkit
from crmkit import DataError, DataWarning, prediction
from crmkit.prediction import ScaledLogistic, TableColumns
from crmkit.prediction._reading import kind_of, looks_like_id

N = 240
RNG = np.random.default_rng(0)
CHANNEL = RNG.choice(["电话", "app", "shop"], N)
CITY = np.array([f"city {number % 17:02d}" for number in range(N)])
AGE = np.where(RNG.random(N) < 0.2, np.nan, RNG.normal(45, 12, N))
SIGNED = pd.Timestamp("2020-02-29") + pd.to_timedelta(RNG.integers(0, 900, N), unit="D")
TOTAL = np.array([" " if number < 11 else f"{number}.5" for number in range(N)])
LABELS = np.where((CHANNEL == "app") ^ (RNG.random(N) < 0.1), "leave", "stay")
NUMBERS = (CHANNEL == "app") * 10.0 + RNG.normal(size=N)


def _table():
    return pd.DataFrame(
        {
            "channel": CHANNEL,
            "city": pd.Categorical(CITY),
            "age": AGE,
            "member": pd.array(RNG.choice([True, False, None], N), dtype="boolean"),
            "signed": SIGNED,
            "total": TOTAL,
            "visits": pd.array(RNG.integers(0, 9, N), dtype="Int64"),
        }
    )


TABLE = _table()


def _series(values, **options):
    return pd.Series(values, name="column", **options)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", " ", "2.5", None], "number"),
        (["01234", "12", "7"], "category"),
        (["2020-02-29", "2021-01-01T08:00:00+08:00"], "time"),
        ([dt.date(2020, 2, 29), None], "time"),
        ([Decimal("1.5"), Decimal(2)], "number"),
        ([True, None, False], "number"),
        (["a", "b", None], "category"),
        ([1, "a", None], "category"),
        ([None, None], "number"),
        (["", "  "], "number"),
        ([pd.Timedelta(hours=36)], "number"),
        ([*map(str, range(99)), "n/a"], "number"),
        (["1", "2", "many"], "category"),
    ],
)
def test_what_a_column_holds_is_seen(values, kind):
    assert kind_of(_series(values, dtype=object), max_levels=50) == kind


def test_numbers_times_and_booleans_become_numbers():
    frame = pd.DataFrame(
        {
            "text": ["1.5", " 2 ", ""],
            "decimal": [Decimal("0.5"), Decimal(1), None],
            "flag": [True, False, None],
            "date": [dt.date(1970, 1, 2), dt.date(1970, 1, 1), None],
            "iso": ["1970-01-02T08:00:00+08:00", "1970-01-03", None],
            "zoned": pd.to_datetime(["1970-01-02 08:00", "1970-01-03 08:00", None]).tz_localize("Asia/Shanghai"),
            "lasts": pd.to_timedelta(["36h", "1D", None]),
        }
    )
    columns = TableColumns(scale=False, missing="keep", min_rows=1)
    first, second, third = columns.fit_transform(frame)[:, :7]
    assert first == pytest.approx([1.5, 0.5, 1, 1, 1, 1, 1.5])
    assert second == pytest.approx([2, 1, 0, 0, 2, 2, 1])
    assert np.isnan(third).all()


def test_each_level_with_enough_rows_is_a_column_and_the_others_are_rare():
    frame = pd.DataFrame({"plan": ["a"] * 60 + ["b"] * 30 + ["c"] * 5 + ["d"] * 5})
    columns = TableColumns(scale=False).fit(frame)
    assert columns.get_feature_names_out().tolist() == ["plan=a", "plan=b", "plan=(rare)"]
    assert columns.transform(pd.DataFrame({"plan": ["b", "d", "never seen"]})).tolist() == [
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 1],
    ]


def test_levels_never_seen_count_as_the_average_where_nothing_was_rare():
    frame = pd.DataFrame({"plan": ["a"] * 60 + ["b"] * 40})
    columns = TableColumns().fit(frame)
    assert columns.get_feature_names_out().tolist() == ["plan=b"]
    assert columns.transform(pd.DataFrame({"plan": ["c", None]})) == pytest.approx(np.zeros((2, 1)))


def test_missing_categories_are_a_level_where_there_were_enough():
    frame = pd.DataFrame({"plan": ["a"] * 50 + ["b"] * 30 + [None] * 10 + [" "] * 10})
    columns = TableColumns(scale=False).fit(frame)
    assert columns.get_feature_names_out().tolist() == ["plan=a", "plan=b", "plan=(missing)"]
    assert columns.transform(pd.DataFrame({"plan": [None, ""]})).tolist() == [[0, 0, 1], [0, 0, 1]]


def test_missing_numbers_are_filled_by_the_training_mean_and_told():
    frame = pd.DataFrame({"age": [10.0] * 50 + [30.0] * 50 + [np.nan] * 20})
    columns = TableColumns(scale=False).fit(frame)
    assert columns.get_feature_names_out().tolist() == ["age", "age=(missing)"]
    assert columns.transform(pd.DataFrame({"age": [None, 5.0]}, dtype=float)).tolist() == [[20, 1], [5, 0]]


def test_columns_are_standardised_on_training_rows():
    numbers = TableColumns().fit_transform(TABLE)
    assert numbers.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert numbers.std(axis=0) == pytest.approx(1)
    constant = TableColumns().fit(pd.DataFrame({"same": [0.1] * 30})).transform(pd.DataFrame({"same": [0.1, 1.1]}))
    assert constant[:, 0] == pytest.approx([0, 1])


def test_ranks_follow_the_target():
    target = np.where(CHANNEL == "shop", 5.0, np.where(CHANNEL == "app", 9.0, 1.0))
    columns = TableColumns("ranked", scale=False, missing="keep").fit(TABLE[["channel"]], target + 0.25)
    codes = columns.transform(pd.DataFrame({"channel": ["电话", "shop", "app", "never seen"]}))[:, 0]
    assert codes[0] < codes[1] < codes[2]
    assert codes[3] == pytest.approx((target + 0.25).mean())


def test_ranks_for_three_labels_keep_like_levels_together():
    likely = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "z", "f": "z"}
    levels = np.repeat([*likely], 40)
    labels = np.array([likely[level] for level in levels])
    labels[RNG.random(240) < 0.2] = "x"
    columns = TableColumns("ranked", scale=False).fit(pd.DataFrame({"level": levels}), labels)
    codes = dict(zip(likely, columns.transform(pd.DataFrame({"level": [*likely]}))[:, 0], strict=True))
    order = sorted(likely, key=codes.get)
    assert {frozenset(order[:2]), frozenset(order[2:4]), frozenset(order[4:])} == {
        frozenset("ab"),
        frozenset("cd"),
        frozenset("ef"),
    }


def test_whole_numbers_are_ranked_as_numbers_where_that_is_said():
    levels = np.repeat(["many", "few", "some"], 30)
    counts = np.repeat([90, 1, 20], 30)
    columns = TableColumns("ranked", scale=False, target="number").fit(pd.DataFrame({"level": levels}), counts)
    codes = columns.transform(pd.DataFrame({"level": ["few", "some", "many"]}))[:, 0]
    assert (np.diff(codes) > 0).all()


def test_a_row_has_no_say_in_its_own_rank_where_levels_are_many():
    levels = np.array([f"level {number % 24:02d}" for number in range(N)])
    noise = RNG.normal(size=N)
    columns = TableColumns("ranked", scale=False).fit(pd.DataFrame({"level": levels}), noise)
    table = pd.DataFrame({"level": levels})
    learned = TableColumns("ranked", scale=False).fit_transform(table, noise)[:, 0]
    assert np.corrcoef(columns.transform(table)[:, 0], noise)[0, 1] > 0.2
    assert np.corrcoef(learned, noise)[0, 1] < 0.1
    mean = noise.mean()
    here = levels == "level 03"
    assert columns.transform(table)[3, 0] == pytest.approx((noise[here].sum() + 10 * mean) / (10 + here.sum()))


def test_numbers_that_are_categories_are_levels_however_they_are_written():
    levels = pd.DataFrame({"plan": pd.Categorical([1, 2, 3] * 20)})
    columns = TableColumns(scale=False).fit(levels)
    assert columns.get_feature_names_out().tolist() == ["plan=1", "plan=2", "plan=3"]
    assert columns.transform(pd.DataFrame({"plan": [2.0, 3.0]})).tolist() == [[0, 1, 0], [0, 0, 1]]
    assert columns.transform(pd.DataFrame({"plan": ["1"]})).tolist() == [[1, 0, 0]]


def test_values_too_rare_to_tell_anything_are_named():
    with pytest.warns(DataWarning, match=r"city \(no value has 10 rows\)"):
        TableColumns().fit(pd.DataFrame({"city": [f"city {number % 70}" for number in range(N)], "age": AGE}))


def test_ids_and_free_text_are_left_out_and_named():
    frame = pd.DataFrame(
        {
            "customerID": [f"C-{number:05d}" for number in range(N)],
            "remark": [f"customer {number} asked for a refund of the late order" for number in range(N)],
            "age": AGE,
        }
    )
    with pytest.warns(DataWarning, match=r"customerID \(nearly every row .*remark \(free text: text-"):
        columns = TableColumns().fit(frame)
    assert columns.get_feature_names_out().tolist() == ["age", "age=(missing)"]
    assert columns.sources_.tolist() == [2, 2]


def test_whole_numbers_that_look_like_ids_are_noticed():
    with pytest.warns(DataWarning, match="customer_id has a number of its own in every row and the name of an id"):
        columns = TableColumns().fit(pd.DataFrame({"customer_id": np.arange(N) + 100}))
    assert columns.get_feature_names_out().tolist() == ["customer_id"]


@pytest.mark.parametrize(
    ("name", "is_id"),
    [("customerID", True), ("Customer ID", True), ("orderId", True), ("客户编号", True), ("paid", False), ("n", False)],
)
def test_names_of_ids(name, is_id):
    assert looks_like_id(name) == is_id


def test_remarks_among_numbers_are_missing_and_counted():
    frame = pd.DataFrame({"total": [*map(str, range(100)), "ask Bob"]})
    with pytest.warns(DataWarning, match="total holds numbers, but not in 1 rows") as caught:
        TableColumns().fit(frame)
    assert "Bob" not in str(caught[0].message)


def test_what_training_rows_never_held_is_told_by_row():
    columns = TableColumns().fit(pd.DataFrame({"total": np.arange(50.0)}))
    with pytest.warns(DataWarning) as caught:
        columns.transform(pd.DataFrame({"total": ["1", "Bob"]}))
    assert "not read as the training rows were, so taken as missing: 'total' in row 1" in str(caught[0].message)
    with pytest.warns(DataWarning, match="missing where no training row was.*'total' in row 0"):
        numbers = columns.transform(pd.DataFrame({"total": [np.nan, 1.0]}))
    assert numbers[0, 0] == pytest.approx(0)


def test_infinite_numbers_are_refused_by_name_and_row():
    with pytest.raises(DataError, match="'amount' in row 1"):
        TableColumns().fit(pd.DataFrame({"amount": [1.0, np.inf]}))


def test_columns_of_lists_are_refused():
    with pytest.raises(DataError, match="'items' holds lists"):
        TableColumns().fit(pd.DataFrame({"items": [[1], [2]]}))


def test_names_stay_apart():
    frame = pd.DataFrame({"a=b": np.arange(40.0), "a": ["b", "c"] * 20, "a=c": np.arange(40.0)})
    names = TableColumns(min_rows=2).fit(frame).get_feature_names_out().tolist()
    assert names == ["a=b", "a=c", "a=c (2)"]


def test_arrays_and_other_tables_are_read_alike():
    pl = pytest.importorskip("polars")
    given = {"plan": ["a", "b"] * 20, "age": [*map(float, range(40))]}
    ours = TableColumns(min_rows=2).fit(pd.DataFrame(given))
    assert ours.transform(pl.DataFrame(given)).tolist() == ours.transform(pd.DataFrame(given)).tolist()
    array = np.array([given["plan"], given["age"]], dtype=object).T
    assert TableColumns(min_rows=2).fit_transform(array).tolist() == ours.transform(pd.DataFrame(given)).tolist()


def test_frames_come_out_where_asked_for():
    frame = TableColumns().set_output(transform="pandas").fit_transform(TABLE)
    assert frame.index.equals(TABLE.index)
    assert "channel=app" in frame.columns


CLASSIFIERS = {
    "logistic": {},
    "svm": {},
    "mlp": {"max_iter": 300, "random_state": 0},
    "tree": {},
    "forest": {"n_estimators": 20, "random_state": 0},
    "boosting": {"max_iter": 30},
}
REGRESSORS = {
    "linear": {},
    "ridge": {},
    "svr": {},
    "mlp": {"max_iter": 300, "random_state": 0},
    "tree": {},
    "forest": {"n_estimators": 20, "random_state": 0},
    "boosting": {"max_iter": 30},
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_takes_a_customer_table(name, tmp_path):
    model = crmkit.create("classifier", name, **CLASSIFIERS[name]).fit(TABLE, LABELS)
    assert (model.predict(TABLE) == LABELS).mean() > 0.85
    assert model.n_features_in_ == 7
    assert model.feature_names_in_.tolist() == list(TABLE.columns)
    shuffled = TABLE.iloc[::-1]
    assert (model.predict(shuffled) == model.predict(TABLE)[::-1]).all()
    strange = pd.DataFrame([[None, "nowhere", None, None, None, "", None]], columns=TABLE.columns)
    with pytest.warns(DataWarning) if name in {"logistic", "svm", "mlp"} else nullcontext():
        assert model.predict(strange)[0] in {"leave", "stay"}
    crmkit.save(model, tmp_path / "model.crmkit")
    again = crmkit.load(tmp_path / "model.crmkit")
    assert (again.predict(TABLE) == model.predict(TABLE)).all()
    if hasattr(model, "predict_proba"):
        np.testing.assert_array_equal(again.predict_proba(TABLE), model.predict_proba(TABLE))
    assert clone(model).get_params() == model.get_params()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", REGRESSORS)
def test_every_regressor_takes_a_customer_table(name):
    model = crmkit.create("regressor", name, **REGRESSORS[name]).fit(TABLE, NUMBERS)
    assert np.corrcoef(model.predict(TABLE), NUMBERS)[0, 1] > 0.9
    assert model.feature_names_in_.tolist() == list(TABLE.columns)


def test_coefficients_are_named_after_the_columns_the_model_sees():
    model = prediction.ScaledLogistic().fit(TABLE, LABELS)
    coefficients = dict(zip(model.column_names_, model.coef_[0], strict=True))
    assert min(coefficients, key=coefficients.get) == "channel=app"
    plain = prediction.ScaledRidge().fit(np.zeros((5, 2)), np.arange(5.0))
    assert plain.column_names_.tolist() == ["x0", "x1"]


def test_importances_are_those_of_the_tables_own_columns():
    model = prediction.ForestClassifier(20, min_samples_leaf=3, random_state=0).fit(TABLE, LABELS)
    assert TABLE.columns[model.feature_importances_.argmax()] == "channel"
    assert model.apply(TABLE).shape == (N, 20)
    assert model.decision_path(TABLE)[0].shape[0] == N
    tree = prediction.TreeRegressor(min_samples_leaf=20).fit(TABLE, NUMBERS)
    assert tree.apply(TABLE).shape == (N,)
    assert tree.predict(TABLE.to_numpy())[:3] == pytest.approx(tree.predict(TABLE)[:3])


def test_whole_target_numbers_are_numbers_to_regressors():
    counts = np.round(NUMBERS).astype(int)
    model = prediction.TreeRegressor(min_samples_leaf=20).fit(TABLE, counts)
    assert np.corrcoef(model.predict(TABLE), counts)[0, 1] > 0.9


def test_a_search_over_preparation_and_model_works():
    pipeline = make_pipeline(TableColumns(), LogisticRegression())
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    grid = GridSearchCV(pipeline, {"tablecolumns__max_levels": [2, 50], "logisticregression__C": [0.1, 1]}, cv=folds)
    assert grid.fit(TABLE, LABELS).best_score_ > 0.8


def test_columns_in_another_order_are_refused():
    model = prediction.ForestClassifier(5).fit(TABLE, LABELS)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(TABLE[TABLE.columns[::-1]])


def test_a_warning_points_at_the_line_of_the_caller():
    table = pd.DataFrame({"total": range(40), "nothing": None})
    for model in (TableColumns(), ScaledLogistic(), make_pipeline(TableColumns(), ScaledLogistic())):
        with pytest.warns(DataWarning, match="nothing holds no value") as caught:
            model.fit(table, [0, 1] * 20)
        assert {one.filename for one in caught} == {__file__}


def test_two_columns_of_one_name_are_refused_by_name():
    twice = pd.DataFrame([[1, 2], [3, 4]], columns=["total", "total"])
    with pytest.raises(DataError, match="X has more than one column named 'total'"):
        TableColumns().fit(twice)


@pytest.mark.parametrize("name", ["ridge", "linear", "svr", "mlp", "tree", "forest", "boosting"])
def test_words_where_numbers_are_predicted_are_refused_without_being_shown(name):
    table = pd.DataFrame({"total": range(20)})
    words = ["Ms Wang"] * 20
    for rows in (table, table.to_numpy()):
        with pytest.raises(DataError, match="y holds something else than numbers") as caught:
            crmkit.create("regressor", name).fit(rows, words)
        assert "Wang" not in str(caught.value)


def test_numbers_too_large_to_be_scaled_are_refused_not_made_missing():
    with pytest.raises(DataError, match="too large to be brought to one scale: 'total'"):
        TableColumns().fit(pd.DataFrame({"total": [1e308, -1e308] * 10, "age": range(20)}))
