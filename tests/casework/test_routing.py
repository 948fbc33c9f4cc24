"""Cases go to the queue of their class, or to a person where the class is not sure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.casework import Routing
from crmkit.core.errors import DataError

TABLE = pd.DataFrame(
    {
        "label": ["billing", "billing", "退款", "*"],
        "min_urgency": [2, None, None, None],
        "min_confidence": [0.5, None, 0.0, 0.6],
        "queue": ["seniors", "accounts", "退款组", "service"],
    }
)


@pytest.mark.parametrize(
    ("label", "confidence", "urgency", "queue", "row"),
    [
        ("billing", 0.9, 0, "accounts", 1),
        ("billing", 0.8, 0, "accounts", 1),
        ("billing", 0.79, 0, "review", 1),
        ("billing", 0.5, 2, "seniors", 0),
        ("billing", 0.4, 2, "review", 0),
        ("退款", None, 0, "退款组", 2),
        ("delay", 0.6, 9, "service", 3),
        ("delay", None, 0, "review", 3),
        (None, None, 0, "service", 3),
        (None, None, None, "service", 3),
    ],
)
def test_the_first_row_that_fits_decides_where_the_class_is_sure(label, confidence, urgency, queue, row):
    cases = pd.DataFrame({"label": [label], "confidence": [confidence], "urgency": [urgency]}, index=["x"])
    routed = Routing(TABLE).route(cases)
    assert routed.loc["x", ["queue", "row", "person"]].tolist() == [queue, row, queue == "review"]


def test_a_case_that_no_row_is_for_goes_to_a_person():
    routed = Routing(TABLE.iloc[:1], person="人工").route({"label": ["delay", "billing"]})
    assert routed["queue"].tolist() == ["人工", "人工"]
    assert routed["reason"].tolist() == ["no row of the table is for it"] * 2
    assert len(Routing(TABLE).route({"label": []})) == 0


def test_the_table_can_be_a_file(tmp_path):
    TABLE.to_csv(tmp_path / "routing.csv", index=False)
    pd.testing.assert_frame_equal(Routing(tmp_path / "routing.csv").table, Routing(TABLE).table)
    assert "4 rows" in repr(Routing(TABLE))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"label": ["*", "a"], "queue": ["x", "y"]}, "takes all cases of row 1"),
        ({"label": ["a", "a"], "queue": ["x", "y"], "min_urgency": [1, 2]}, "row 1"),
        ({"label": ["a"], "queue": [None]}, "queue is missing in row 0"),
        ({"label": ["a"]}, "no column 'queue'"),
        ({"label": ["a"], "queue": ["x"], "min_confidence": [1.5]}, "between 0 and 1"),
        ({"label": ["a"], "queue": ["x"], "min_urgency": ["high"]}, "must hold numbers"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused(table, said):
    with pytest.raises(DataError, match=said):
        Routing(table)


def test_wrong_cases_are_refused():
    with pytest.raises(DataError, match="confidence"):
        Routing(TABLE).route({"label": ["a"], "confidence": [1.2]})
    with pytest.raises(DataError, match="label"):
        Routing(TABLE).route({"lable": ["a"]})
    with pytest.raises(DataError, match="person"):
        Routing(TABLE, person="")
    assert np.isinf(Routing(TABLE).table["min_urgency"].iloc[1])


def test_classes_and_queues_may_be_numbers():
    routed = Routing({"label": [1, 2], "queue": [10, 20]}).route({"label": [2.0, 1.0, None], "confidence": [1, 1, 1]})
    assert routed["queue"].tolist() == ["20", "10", "review"]
