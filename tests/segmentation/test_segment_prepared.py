"""What caps, weights and components declared with ``for_clustering`` do to segments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import preparation, segmentation


@pytest.fixture
def customers():
    """Give two groups by visits and, across them, two groups by age."""
    random = np.random.default_rng(0)
    regular, old = np.arange(400) % 2 == 0, np.arange(400) < 200
    return pd.DataFrame(
        {
            "visits": random.normal(np.where(regular, 30.0, 10.0), 2.0),
            "age": random.normal(np.where(old, 70.0, 30.0), 4.0),
        },
        index=pd.Index([f"c{number}" for number in range(400)], name="customer_id"),
    )


def cut(table, n_segments=2, **declared):
    declared = {"skew": "none", **declared}
    return segmentation.segment(
        table, n_segments=n_segments, transform=preparation.for_clustering(**declared), random_state=0,
        features=list(table.columns),
    )  # fmt: skip


def same_parts(segments, truth):
    """Say whether segments part customers as the truth does."""
    return segments.segment_id.groupby(truth).nunique().tolist() == [1, 1]


def test_a_weight_of_nothing_leaves_the_column_out(customers):
    without = segmentation.segment(customers[["visits"]], n_segments=2, transform="scale", random_state=0)
    assert cut(customers, weights={"age": 0.0}).segment_id.equals(without.segment_id)


@pytest.mark.parametrize(("column", "truth"), [("visits", np.arange(400) % 2), ("age", np.arange(400) < 200)])
def test_the_weight_decides_which_of_two_ways_to_part_is_taken(customers, column, truth):
    assert same_parts(cut(customers, weights={column: 4.0}), truth)


def test_a_weight_of_four_is_the_column_four_times(customers):
    repeated = customers.assign(**{f"again{time}": customers["visits"] for time in range(3)})
    weighted = cut(customers, 4, weights={"visits": 4.0})
    assert weighted.segment_id.groupby(cut(repeated, 4).segment_id).nunique().max() == 1


def test_one_far_customer_makes_a_segment_of_its_own_unless_capped(customers):
    far = customers[["visits"]].copy()
    far.iloc[0, 0] = 1e6
    plain = cut(far)
    assert plain.profile["customers"].min() == 1
    capped = cut(far, winsorize=0.99)
    assert capped.profile["customers"].min() > 150
    assert capped.transform.caps_.capped_.tolist()[0] >= 1
    assert capped.transform.table.loc["visits", "cap_high"] < 50


def test_caps_are_frozen_for_whoever_comes_next_month(customers):
    segments = cut(customers, winsorize=0.99, weights={"visits": 4.0})
    far = customers.assign(visits=1e9)
    usual = segments.labels[customers["visits"] > 25].iloc[0]
    assert (segments.predict(far) == usual).all()


def test_components_hold_what_columns_have_in_common(customers):
    random = np.random.default_rng(1)
    copies = {f"copy{number}": customers["visits"] + random.normal(0, 0.1, 400) for number in range(6)}
    segments = cut(customers.assign(**copies), pca=0.9)
    assert segments.transform.get_feature_names_out().tolist() == ["pca0", "pca1"]
    assert segments.segmenter.cluster_centers_.shape == (2, 2)
    assert same_parts(segments, np.arange(400) % 2)
    centers = segments.transform.inverse_transform(segments.segmenter.cluster_centers_)
    assert np.sort(centers[:, 0]) == pytest.approx([10.0, 30.0], abs=1.0)


def test_named_transforms_are_declared_ones(customers):
    segments = segmentation.segment(customers, n_segments=2, transform="scale", random_state=0)
    assert segments.transform.table["scale"].to_dict() == pytest.approx(customers.std(ddof=0).to_dict())


def test_it_is_named_where_the_model_is_shown_and_saved_with_it(customers, tmp_path):
    segments = cut(customers, winsorize={"age": (0.01, 0.99)}, pca=True)
    assert "transform for_clustering" in repr(segments)
    crmkit.save(segments, tmp_path / "segments.crmkit")
    pd.testing.assert_series_equal(crmkit.load(tmp_path / "segments.crmkit").predict(customers), segments.labels)
