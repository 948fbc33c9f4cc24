from __future__ import annotations

import warnings

import pytest

from crmkit.core.errors import DataWarning
from crmkit.core.telling import passed_on, tell


def test_a_warning_points_at_the_first_line_that_is_not_ours():
    with pytest.warns(DataWarning, match="look here") as caught:
        tell("look here")
    assert caught[0].filename == __file__


def test_what_is_passed_on_keeps_its_kind_and_comes_even_before_an_error():
    def inside():
        with passed_on():
            warnings.warn("first", UserWarning, stacklevel=1)
            raise KeyError

    with pytest.warns(UserWarning, match="first"), pytest.raises(KeyError):
        inside()


def test_what_the_caller_made_an_error_stays_one():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="first"), passed_on():
            warnings.warn("first", UserWarning, stacklevel=1)


def test_what_the_caller_ignores_stays_unsaid():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", DataWarning)
        with passed_on():
            tell("nobody hears this")
    assert caught == []
