"""The model afterwards: names, scoring, saving, displays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import segmentation
from crmkit.core.errors import DataError
from crmkit.segmentation import SegmentationModel


@pytest.fixture
def segments(rfm):
    return segmentation.segment(rfm, n_segments=3, random_state=0)


def test_rename_gives_a_new_model_and_keeps_the_old(segments, rfm):
    first = segments.names[0]
    renamed = segments.rename({first: "best", 2: "gone"})
    assert renamed.names == {0: "best", 1: segments.names[1], 2: "gone", -1: "in no segment"}
    assert segments.names[0] == first
    assert set(renamed.labels) == {"best", segments.names[1], "gone"}
    assert renamed.profile.index.tolist() == ["best", segments.names[1], "gone"]
    assert renamed.predict(rfm).equals(renamed.labels)
    assert set(renamed.rules["segment"]) == set(renamed.labels)


def test_two_names_can_be_exchanged(segments):
    renamed = segments.rename({segments.names[0]: segments.names[1], segments.names[1]: segments.names[0]})
    assert (renamed.names[0], renamed.names[1]) == (segments.names[1], segments.names[0])


def test_noise_can_be_renamed(segments):
    assert segments.rename({-1: "loners"}).names[-1] == "loners"


def test_ids_may_be_text_as_configuration_files_have_them(segments):
    assert segments.rename({"0": "best", "-1": "loners"}).names[0] == "best"


@pytest.mark.parametrize("wrong", ["nobody", 7, "7", "-2"])
def test_unknown_segment_cannot_be_renamed(segments, wrong):
    with pytest.raises(ValueError, match="there is no segment"):
        segments.rename({wrong: "x"})


def test_two_segments_cannot_share_a_name(segments):
    with pytest.raises(ValueError, match="two segments would be named 'same'"):
        segments.rename({0: "same", 1: "same"})
    with pytest.raises(ValueError, match="two segments would be named 'in no segment'"):
        segments.rename({0: "in no segment"})


@pytest.mark.parametrize("name", ["", " ", 3, None])
def test_name_must_be_text(segments, name):
    with pytest.raises(ValueError, match="must be text"):
        segments.rename({0: name})


def test_predict_takes_other_customers_in_any_column_order(segments, rfm):
    new = (
        rfm.head(3)
        .reset_index()
        .assign(customer_id=["x", "y", "z"])[["monetary", "customer_id", "frequency", "recency_days"]]
    )
    assert segments.predict(new).to_dict() == dict(zip("xyz", segments.labels.head(3), strict=True))
    assert segments.predict_ids(new).tolist() == segments.segment_id.head(3).tolist()


def test_predict_never_moves_the_segments(segments, rfm):
    before = segments.predict(rfm)
    segments.predict(rfm * 50)
    pd.testing.assert_series_equal(segments.predict(rfm), before)


def test_predict_tells_what_is_wrong_with_the_new_table(segments, rfm):
    with pytest.raises(DataError, match="no column 'frequency'"):
        segments.predict(rfm.drop(columns="frequency"))
    with pytest.raises(DataError, match="'monetary' is missing in row 2"):
        segments.predict(rfm.assign(monetary=np.where(np.arange(300) == 2, np.nan, 1.0)))


def test_component_without_customers_when_fitting_has_an_id_when_predicting():
    table = pd.DataFrame(
        {"recency_days": [1, 2, 3, 4, 5], "frequency": [5, 4, 3, 2, 1], "monetary": [50.0, 40.0, 30.0, 20.0, 10.0]},
        index=pd.Index(list("abcde"), name="customer_id"),
    )
    segments = segmentation.segment(table, "rfm-rules")
    assert len(segments.names) == 12
    assert segments.n_segments < 11
    placed = segments.predict({"customer_id": ["z"], "recency_days": [9], "frequency": [9], "monetary": [90.0]})
    assert placed.tolist() == ["cannot lose"]
    assert "cannot lose" not in segments.profile.index
    assert segments.compare(table.assign(recency_days=9)).sizes.loc["cannot lose", "customers_before"] == 0


def test_state_makes_the_same_model_again(segments, rfm):
    again = SegmentationModel.from_state(segments.get_state())
    assert str(again) == str(segments)
    pd.testing.assert_series_equal(again.predict(rfm), segments.labels)


@pytest.mark.parametrize("name", ["kmeans", "gaussian-mixture", "dbscan", "hdbscan", "rfm-rules"])
def test_saved_and_loaded_segments_are_the_same(rfm, name, tmp_path):
    pytest.importorskip("skops")
    first = segmentation.segment(
        rfm, name, n_segments=3 if name in {"kmeans", "gaussian-mixture"} else "auto", random_state=0
    )
    crmkit.save(first, tmp_path / "segments.crmkit")
    second = crmkit.load(tmp_path / "segments.crmkit", expect=SegmentationModel)
    pd.testing.assert_series_equal(second.labels, first.labels)
    pd.testing.assert_series_equal(second.predict(rfm * 1.1), first.predict(rfm * 1.1))
    pd.testing.assert_frame_equal(pd.DataFrame(second.profile), pd.DataFrame(first.profile))
    assert str(second.compare(rfm)) == str(first.compare(rfm))
    assert str(second.choice) == str(first.choice)


def test_repr_is_one_line_and_str_the_whole(segments):
    assert repr(segments) == (
        "<SegmentationModel: 3 segments of 300 customers (kmeans on recency_days, frequency, monetary; transform rfm)>"
    )
    assert "asked for" in str(segments)
    assert "of unseen customers" in str(segments)


def test_html_shows_profile_rules_and_how_new_customers_are_placed(segments):
    shown = segments.rename({0: "a < b"})._repr_html_()
    assert "a &lt; b" in shown
    assert "a < b" not in shown
    assert "New customers are placed by the segmenter&#x27;s own predict." in shown
    assert "frequency &gt;" in shown or "recency_days &lt;=" in shown


def test_no_customer_id_stands_in_any_display(segments, rfm):
    text = str(segments) + repr(segments) + segments._repr_html_() + str(segments.compare(rfm))
    assert not any(customer in text for customer in rfm.index)
