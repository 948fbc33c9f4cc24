"""A configuration is read strictly, and one error tells everything that is wrong."""

from __future__ import annotations

import pytest

from crmkit import ConfigError
from crmkit.pipeline import load_config

RULE = "[[limits.frequency]]\ntable = 'sales'\nmost = 1\ndays = 7\nat = '2024-03-06T00:00Z'\n"

GOOD = """
seed = 3

[read.sales]
source = "sales.csv"

[rfm]
cutoff = 2024-01-01

[segments]
n_segments = 3

[cases]
by = "order_id"
where = "amount < 0"

[[remedies]]
name = "call"
value = "0.1 * monetary"
uses = { hours = 0.5 }

[limits.resources]
hours = 10

[plan]
one_per = "customer_id"
"""


@pytest.fixture
def problems(tmp_path):
    """Give a function from a configuration's text to the lines of its error."""

    def read(text):
        path = tmp_path / "job.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_config(path)
        return str(caught.value).splitlines()[1:]

    return read


def test_a_right_configuration_is_understood(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(GOOD, encoding="utf-8")
    located = load_config(path)
    assert located.config.seed == 3
    assert located.config.rfm.cutoff == "2024-01-01"
    assert located.config.segments.n_segments == 3
    assert located.config.remedies[0].uses == {"hours": 0.5}
    assert located.config.value is None
    assert (located.home, located.data, located.name) == (tmp_path, tmp_path, "job")


def test_a_mapping_is_read_like_a_file():
    located = load_config({"read": {"sales": {"source": "sales.csv"}}, "rfm": {}})
    assert located.config.rfm.refunds == "net"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("seed = 3", "sead = 3", "unknown key 'sead'; did you mean 'seed'?"),
        ("n_segments = 3", "n_segment = 3", "unknown key 'n_segment'; did you mean 'n_segments'?"),
        ("n_segments = 3", "n_segments = 'three'", "must be a whole number or 'auto', got the text 'three'"),
        ("n_segments = 3", "n_segments = 0", "must be more than 0, got 0"),
        ("seed = 3", "seed = true", "must be a whole number, got true"),
        ("seed = 3", "seed = -1", "must be 0 or more"),
        ('source = "sales.csv"', "source = 7", "must be text, got the number 7"),
        ('source = "sales.csv"', 'schema = "transactions"', "the key 'source' is missing"),
        ('source = "sales.csv"', 'source = "s.csv"\nschema = "transaction"', "did you mean 'transactions'?"),
        ('by = "order_id"', 'by = "order_id"\ntable = "sale"', "no table 'sale' is read; did you mean 'sales'?"),
        ('"amount < 0"', '"amount.abs() < 0"', "a call is not allowed"),
        ('"0.1 * monetary"', '"__import__"', "is not allowed"),
        ("hours = 0.5", "ours = 0.5", "no resource 'ours' in limits.resources; did you mean 'hours'?"),
        ("hours = 10", "hours = -1", "must be 0 or more, got -1"),
        ('one_per = "customer_id"', 'planner = "lpp"', "no planner 'lpp'; nearest: lp"),
        ("n_segments = 3", 'segmenter = "kmean"', "no segmenter 'kmean'; nearest: kmeans"),
        ("[plan]", "[plan.what_if]\nmoney = [1]\n[plan]", "no resource 'money'"),
        ("[limits.resources]", "[[limits.floors]]\nshare = 2.0\n[limits.resources]", "must be from 0 to 1, got 2"),
        (
            "[limits.resources]",
            "[[limits.caps]]\nremedy = 'cal'\ncount = 1\n[limits.resources]",
            "did you mean 'call'?",
        ),
        ("[limits.resources]", "[[limits.caps]]\nremedy = 'call'\n[limits.resources]", "either 'share' or 'count'"),
        ("[plan]", "[limits.soft]\nhors = { penalty = 2 }\n[plan]", "no limit is called 'hors'; did you mean 'hours'?"),
        ("[plan]", "[limits.soft]\nhours = { penalty = -2 }\n[plan]", "must be 0 or more, got -2"),
        ("[plan]", "[[limits.ratios]]\nwhere = 'lines > 1'\nleast = -1\n[plan]", "must be 0 or more, got -1"),
        ("[plan]", f"{RULE}[plan]".replace("'sales'", "'sale'"), "no table 'sale' is read; did you mean 'sales'?"),
        ("[plan]", f"{RULE}[plan]".replace("T00:00Z", ""), "must be an instant with a time zone"),
        ("[plan]", f"{RULE}[plan]".replace("days = 7", "days = 0"), "must be more than 0, got 0"),
        ("[plan]", f"{RULE}remedies = ['cal']\n[plan]", "no remedy 'cal'; did you mean 'call'?"),
        ("[plan]", f"{RULE}where = 'f()'\n[plan]", "a call is not allowed"),
        ("[rfm]\ncutoff = 2024-01-01\n", "", "needs the step [rfm]"),
        ("[plan]", "[report]\nfile = '../up.html'\n[plan]", "must be a file name that ends in .html"),
        ("[plan]", "[value]\nhorizon = 52\n[plan]", "the key 'margin' is missing"),
    ],
)
def test_a_problem_is_told_with_its_line(problems, old, new, told):
    text = GOOD.replace(old, new)
    assert text != GOOD
    lines = problems(text)
    assert any(told in line for line in lines), lines
    assert any("line " in line for line in lines)


def test_all_problems_are_told_at_once(problems):
    text = (
        GOOD.replace("seed = 3", "sead = 3")
        .replace("hours = 10", "hours = 'ten'")
        .replace('by = "order_id"', 'by = "order_id"\nbi = 1\ntable = 3')
    )
    lines = problems(text)
    assert len(lines) >= 4
    assert next(line for line in lines if "sead" in line).startswith("  - line 2: sead:")


def test_the_line_is_that_of_the_key_in_its_table(problems):
    (line,) = problems(GOOD.replace("n_segments = 3", "n_segments = 3\nkolour = 1"))
    assert line.startswith("  - line 12: segments.kolour:")


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"a = ", "is not TOML"), (b"\xff\xfe", "is not UTF-8"), (b"", "'read' is missing")],
)
def test_a_file_that_is_no_configuration_is_told(tmp_path, content, told):
    path = tmp_path / "job.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=told):
        load_config(path)


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(ConfigError, match="there is no configuration"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="is a folder"):
        load_config(tmp_path)


def test_the_data_folder_may_come_from_the_environment(tmp_path, monkeypatch):
    path = tmp_path / "job.toml"
    path.write_text("data = '$SOME_FOLDER'\n" + GOOD, encoding="utf-8")
    with pytest.raises(ConfigError, match="the environment has no SOME_FOLDER"):
        load_config(path)
    monkeypatch.setenv("SOME_FOLDER", str(tmp_path / "elsewhere"))
    with pytest.raises(ConfigError, match="there is no folder"):
        load_config(path)
    (tmp_path / "elsewhere").mkdir()
    assert load_config(path).data == tmp_path / "elsewhere"
    assert load_config(path, data=tmp_path).data == tmp_path


def test_rules_of_packages_are_checked_before_anything_is_read(problems):
    (told,) = problems(GOOD + "\n[packages]\nrequires = { gift = ['call'] }\n")
    assert "packages: requires names 'gift', which is no remedy; the remedies are: 'call'" in told
    entry = "\n[[packages.values]]\nremedies = ['call']\nvalue = 'a.b'\n"
    told = problems(GOOD + entry + entry)
    assert any("packages.values[1].value" in line for line in told)
    assert any("packages: values gives one set of remedies twice" in line for line in told)
    alone = GOOD.replace("[[remedies]]", "[other]")
    assert any("needs at least one [[remedies]]" in line for line in problems(alone + "\n[packages]\nat_most = 2\n"))
