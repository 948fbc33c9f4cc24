"""Segments of tables that hold categories beside numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import segmentation
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.predicate import parse


@pytest.fixture
def customers():
    """Give three groups that differ in spend, tickets, channel and membership."""
    random = np.random.default_rng(0)
    n, usual = 600, np.array(["网店", "shop", "app"], dtype=object)
    group = random.integers(0, 3, n)
    return pd.DataFrame(
        {
            "monetary": random.gamma(20, np.array([5.0, 50.0, 50.0])[group]),
            "channel": np.where(random.random(n) < 0.9, usual[group], "shop"),
            "tickets": random.poisson(np.array([1, 1, 9])[group]),
            "member": random.random(n) < np.array([0.9, 0.5, 0.1])[group],
        },
        index=pd.Index([f"c{number}" for number in range(n)], name="customer_id"),
    )


def cut(table, **parameters):
    parameters = {"n_segments": 3, "transform": "scale", "random_state": 0, **parameters}
    return segmentation.segment(table, parameters.pop("segmenter", "k-prototypes"), **parameters)


@pytest.mark.parametrize(("segmenter", "params"), [("k-prototypes", None), ("k-medoids", {"metric": "gower"})])
def test_categories_are_segmented_by_named_and_placed_again(customers, segmenter, params):
    segments = cut(customers, segmenter=segmenter, params=params)
    assert segments.features == ("monetary", "channel", "tickets", "member")
    pd.testing.assert_series_equal(segments.predict(customers), segments.labels)
    assert segments.predict(customers.iloc[[7]]).tolist() == [segments.labels.iloc[7]]
    assert any("often 网店" in name for name in segments.names.values())
    assert any("seldom member" in name for name in segments.names.values())


def test_profile_tells_the_share_of_each_category_and_of_yes_alone(customers):
    segments = cut(customers)
    profile = segments.profile
    assert {"channel=网店_mean", "channel=shop_mean", "channel=app_mean", "member=True_mean"} <= set(profile.columns)
    assert "member=False_mean" not in profile.columns
    for name in profile.index:
        inside = customers[segments.labels == name]
        assert profile.loc[name, "channel=app_mean"] == pytest.approx((inside["channel"] == "app").mean())
        assert profile.loc[name, "member=True_mean"] == pytest.approx(inside["member"].mean())
    described = profile.loc[next(name for name in profile.index if "often 网店" in name), "description"]
    share = (customers.loc[segments.labels.str.contains("often 网店"), "channel"] == "网店").mean()
    assert f"often 网店 ({share:.2g} vs {(customers['channel'] == '网店').mean():.2g})" in described


def test_rules_ask_for_the_category_and_hold_for_whom_they_say(customers):
    segments = cut(customers, features=["channel", "member"], segmenter="k-prototypes")
    rules = segments.rules
    assert rules["rule"].str.contains("channel == ").any()
    for rule, count in zip(rules["rule"], rules["customers"], strict=True):
        assert int(np.sum(parse(rule).evaluate(customers).values)) == count


def test_next_month_is_held_against_frozen_categories(customers):
    segments = cut(customers)
    later = customers.copy()
    later.iloc[:300, 1] = "app"
    changed = segments.compare(later)
    assert {"channel=app", "member=True", "monetary"} <= set(changed.columns.index)
    assert changed.columns.loc["channel=app", "psi"] > 0.25
    assert changed.columns.loc["member=True", "psi"] == pytest.approx(0.0)


def test_a_new_category_moves_the_index_of_its_column_though_each_known_one_looks_stable(customers):
    segments = cut(customers, features=["monetary", "channel", "member"])
    later = customers.copy()
    later.loc[later.index[::6], "channel"] = "fax"
    with pytest.warns(DataWarning, match="channel in row"):
        changed = segments.compare(later)
    assert (changed.columns.loc[["channel=app", "channel=shop", "channel=网店"], "verdict"] == "stable").all()
    whole = changed.columns.loc["channel"]
    assert whole["psi"] > 0.25
    assert whole["p_value"] < 0.001
    assert whole["known_after"] == len(customers)
    assert "member" not in changed.columns.index  # yes alone says it
    same = segments.compare(customers)
    assert same.columns.loc["channel", "psi"] == 0


def test_a_category_nearly_everybody_has_still_moves_the_index():
    table = pd.DataFrame(
        {"spend": np.r_[np.zeros(98), np.ones(2)], "country": ["CN"] * 95 + ["DE"] * 5},
        index=pd.Index(range(100), name="customer_id"),
    )
    segments = cut(table, n_segments=2)
    changed = segments.compare(table.assign(country="DE"))
    assert changed.columns.loc["country=CN", "psi"] > 1.0


def test_new_categories_are_told_by_column_and_row_and_the_customer_is_placed(customers):
    segments = cut(customers)
    new = customers.iloc[:5].copy()
    new.iloc[2, 1] = "secret"
    with pytest.warns(DataWarning, match="channel in row 2") as told:
        labels = segments.predict(new)
    assert "secret" not in str(told[0].message)
    assert labels.drop("c2").tolist() == segments.labels.iloc[[0, 1, 3, 4]].tolist()


def test_it_saves_and_places_the_same(customers, tmp_path):
    segments = cut(customers)
    crmkit.save(segments, tmp_path / "segments.crmkit")
    loaded = crmkit.load(tmp_path / "segments.crmkit")
    pd.testing.assert_series_equal(loaded.predict(customers), segments.labels)
    pd.testing.assert_frame_equal(pd.DataFrame(loaded.profile), pd.DataFrame(segments.profile))


def test_categories_alone_need_no_transform(customers):
    segments = cut(customers, features=["channel", "member"], transform="rfm", n_segments=2)
    assert segments.transform is None
    pd.testing.assert_series_equal(segments.predict(customers), segments.labels)


def test_a_transform_may_give_another_number_of_columns(customers):
    from sklearn.decomposition import PCA

    segments = cut(customers, transform=PCA(1))
    assert list(segments.segmenter.prototypes.columns) == ["pca0", "channel", "member"]
    pd.testing.assert_series_equal(segments.predict(customers), segments.labels)


def test_numbers_that_are_declared_categories_are_categories(customers):
    coded = customers.assign(channel=customers["channel"].map({"网店": 1, "shop": 2, "app": 3}).astype("category"))
    segments, expected = cut(coded), cut(customers)
    np.testing.assert_array_equal(segments.segment_id, expected.segment_id)
    assert "channel=3_mean" in segments.profile.columns


def test_names_are_no_categories(customers):
    with pytest.raises(DataError, match="'name' has 600 categories, at most 50"):
        cut(customers.assign(name=[f"person {number}" for number in range(600)]))


def test_the_number_is_chosen_with_categories_and_without(customers):
    chosen = cut(customers, n_segments="auto").choice
    assert chosen.n_segments == 3
    assert {"gap", "silhouette", "calinski_harabasz", "stability"} <= set(chosen.table.columns)
    numbers = cut(customers, n_segments="auto", features=["monetary", "tickets"])
    assert numbers.choice.criterion in {"gap", "silhouette"}
    with pytest.raises(DataError, match="only 2 distinct customers"):
        cut(customers, features=["member"], n_segments=3)


def test_missing_categories_and_shared_names_are_refused(customers):
    gone = customers.copy()
    gone.iloc[4, 1] = None
    with pytest.raises(DataError, match="channel is missing in row 4"):
        cut(gone)
    with pytest.raises(DataError, match="share a name"):
        cut(customers.assign(**{"channel=app": 1.5}))


def test_numbers_only_go_to_these_segmenters_as_to_any(rfm):
    segments = segmentation.segment(rfm, "k-prototypes", n_segments=3, random_state=0)
    kmeans = segmentation.segment(rfm, "kmeans", n_segments=3, random_state=0)
    np.testing.assert_array_equal(segments.segment_id, kmeans.segment_id)
    assert np.isfinite(segments.choice.table["silhouette"]).all()
