"""Every kind of wrong value in a configuration is told as its reader would say it."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from crmkit import ConfigError
from crmkit.pipeline import load_config

READ = {"read": {"sales": {"source": "sales.csv"}}}


def told(**tables):
    with pytest.raises(ConfigError) as caught:
        load_config({**READ, **tables})
    return str(caught.value)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"rfm": 7}, "rfm: must be a table, got the number 7"),
        ({"rfm": {"refunds": 7}}, "must be one of net, ignore, match, got the number 7"),
        ({"rfm": {"refunds": "mach"}}, "did you mean 'match'?"),
        ({"rfm": {"refunds": True}}, "got true"),
        ({"rfm": {"cutoff": ["2024"]}}, "must be text, got a list"),
        ({"quality": "yes"}, "must be true or false, got the text 'yes'"),
        ({"quality": date(2024, 1, 1)}, "must be true or false, got a date"),
        ({"metrics": {}}, "must be a list of tables, got a table"),
        ({"metrics": [{"evaluator": "csat", "table": "sales", "columns": "mark"}]}, "must be a list of texts"),
        ({"metrics": [{"evaluator": "csat", "table": "sales", "columns": []}]}, "at least one column"),
        ({"metrics": [{"evaluator": "csat", "table": "sales", "columns": ["a", "b"]}]}, "takes 1 (ratings), got 2"),
        ({"value": {"margin": "a third", "horizon": 52}}, "must be a number, got the text 'a third'"),
        ({"value": {"margin": float("nan"), "horizon": 52}}, "must be a number"),
        ({"value": {"margin": 0.3, "horizon": 0}}, "must be more than 0"),
        ({"value": {"margin": 0.3, "horizon": 5, "annual_discount_rate": -1.0}}, "must be 0 or more, got -1"),
        ({"limits": {"resources": []}}, "must be a table of numbers, got a list"),
        ({"segments": {"n_segments": []}}, "must be a whole number or 'auto', got a list"),
        ({"text": {"labelled": "sales", "test_share": 1.0}}, "must be between 0 and 1"),
        ({"text": {"labelled": "sales", "where": "f(x)"}}, "a call is not allowed"),
        ({"remedies": [{"name": "a", "value": 1}]}, "needs the step [cases]"),
        ({"remedies": [{"name": "a", "value": 1, "shared_error": "f(x)"}]}, "a call is not allowed"),
        ({"remedies": [{"name": "a", "value": 1, "intensity": [5]}]}, "must be a list of two: least and most"),
        ({"remedies": [{"name": "a", "value": 1, "intensity": 5}]}, "must be a list of values, got the number 5"),
        ({"remedies": [{"name": "a", "value": 1, "intensity": [1, "f(x)"]}]}, "a call is not allowed"),
        ({"plan": {}}, "needs at least one [[remedies]]"),
        ({"read": {}}, "at least one [read.NAME] is needed"),
        ({"read": {"a/b": {"source": "x.csv"}}}, "is used as a file name"),
    ],
)
def test_a_wrong_value_is_told(tables, message):
    assert message in told(**tables)


def test_dates_of_toml_count_as_text():
    located = load_config({**READ, "rfm": {"cutoff": datetime(2024, 1, 1, 8, 30)}})  # noqa: DTZ001 -- as TOML gives it
    assert located.config.rfm.cutoff == "2024-01-01T08:30:00"


def test_two_tables_of_transactions_must_be_told_apart():
    message = told(read={"a": {"source": "a.csv"}, "b": {"source": "b.csv"}}, rfm={})
    assert "there are 2 tables it could be; name one of a, b" in message


def test_two_remedies_of_one_name_are_told():
    twice = [{"name": "call", "value": 1.0}, {"name": "call", "value": 2.0}]
    assert "'call' is there twice" in told(cases={"by": "order_id"}, plan={}, remedies=twice)
