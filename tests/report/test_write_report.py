"""The report is one safe file that shows what it was handed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator

import crmkit
from crmkit import DataError, Estimate, remediation, segmentation
from crmkit.core.html import cell
from crmkit.remediation import Cap, Problem, Remedy, Resource
from crmkit.report import Note, bars, write_report

NASTY = "<script>alert('1')</script>"
VOID = {"meta", "br", "hr", "img", "input", "link", "path", "use", "rect"}


class Outline(HTMLParser):
    """Collects tags and whether they are closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.wrong = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def outline(page):
    parser = Outline()
    parser.feed(page)
    return parser


@pytest.fixture
def written(tmp_path):
    """Give a function that writes a report and gives its text."""

    def write(*parts, **options):
        return write_report(tmp_path / "report.html", *parts, **options).read_text(encoding="utf-8")

    return write


@pytest.fixture(scope="module")
def plan():
    random = np.random.default_rng(0)
    cases = pd.DataFrame({"case_id": [f"k{i}" for i in range(60)], "worth": random.uniform(1, 90, 60)})
    remedies = [
        Remedy("退款", value="worth - 5", uses={"budget": 9}, eligible="worth > 10"),
        Remedy("call", value="0.5 * worth", uses={"hours": 0.5}),
    ]
    return remediation.plan(
        Problem(cases, remedies, [Resource("budget", 90), Resource("hours", 5), Cap("call", count=8)])
    )


@pytest.fixture(scope="module")
def segments():
    random = np.random.default_rng(1)
    rfm = pd.DataFrame(
        {
            "recency_days": np.r_[random.uniform(0, 20, 60), random.uniform(200, 300, 60)],
            "frequency": np.r_[random.integers(8, 15, 60), random.integers(1, 3, 60)],
            "monetary": np.r_[random.uniform(500, 900, 60), random.uniform(5, 60, 60)],
        },
        index=pd.Index([f"c{i}" for i in range(120)], name="customer_id"),
    )
    return segmentation.segment(rfm, "kmeans", n_segments=2, random_state=0)


def test_whatever_comes_from_data_is_escaped(written):
    table = pd.DataFrame({NASTY: [NASTY]}, index=pd.Index([NASTY], name=NASTY))
    counts = pd.Series({NASTY: 3, "b": 2}, name=NASTY)
    page = written(NASTY, table, counts, Note(NASTY), {NASTY: 1, "x": table}, title=NASTY)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 8
    assert outline(page).wrong == []


def test_the_page_asks_for_nothing_from_outside(written, plan, segments):
    page = written(plan, segments)
    tags = outline(page).tags
    assert not [tag for tag, _ in tags if tag in {"script", "link", "iframe", "img"}]
    links = [value for _, attrs in tags for name, value in attrs.items() if name in {"href", "src", "xlink:href"}]
    assert all(link.startswith("#") for link in links)
    assert "default-src 'none'" in page


def test_a_plan_and_a_segmentation_show_their_pictures_with_n(written, plan, segments):
    page = written(segments, plan)
    for shown in ("120 customers", "60 cases", "退款", "price_more", "budget", "hours", "Medi"):
        assert shown in page, shown
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert len(captions) >= 5
    assert all("(n = " in caption for caption in captions)


def test_a_plan_shows_what_each_of_its_limits_costs(written, plan):
    page = written(plan)
    assert "Value kept as the limits come in one by one" in page
    assert "without any limit" in page
    steps = plan.waterfall()
    assert f"without any limit {cell(steps['value'].iloc[0])}; budget {cell(steps['value'].iloc[1])}" in page
    assert "没有任何限制" in written(plan, lang="zh")


def test_the_cost_of_very_many_limits_and_of_limits_that_nothing_keeps_is_said_in_words(written):
    limits = {f"r{i}": 1.0 for i in range(13)}
    many = Problem.from_arrays([[1.0]], uses=dict.fromkeys(limits, 1.0), limits=limits)
    assert "for up to 12 limits; there are 13" in written(remediation.plan(many))
    none = Problem.from_arrays([[1.0]], uses={"u": 1.0}, limits={"u": 0}, floors={"f": (None, 1)})
    assert "No plan keeps all limits" in written(remediation.Plan.from_choice(none, [0]))


def test_segments_show_sizes_medians_a_snake_plot_and_how_far_rules_can_be_believed(written, segments):
    page = written(segments)
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert [caption.partition(" (n")[0].partition(" –")[0] for caption in captions] == [
        "Share of customers and of revenue",
        "Median of each segment",
        "What sets the segments apart",
    ]
    assert "of customers held back" in page
    rules = segments.rules
    assert f"[{rules['fidelity_low'][0]:.0%}, {rules['fidelity_high'][0]:.0%}] (n = {rules['unseen'][0]})" in page
    chinese = written(segments, lang="zh-CN")
    assert "各分群的特征" in chinese
    assert "What sets the segments apart" not in chinese


def test_segments_without_a_rule_are_named_and_shares_are_percentages(written):
    # Each customer of the second segment has nine doubles in the first.
    table = pd.DataFrame({"visits": np.repeat(np.arange(9.0), 10), "member": np.repeat([0.0, 1.0, 0.0], 30)})
    table.index = pd.Index([f"c{i}" for i in range(90)], name="customer_id")
    labels = np.isin(np.arange(90), [0, 30, 60]).astype(int)

    class Given(BaseEstimator):
        def fit_predict(self, *_table):
            return labels

    found = segmentation.segment(table, Given(), transform="none", random_state=0)
    page = written(found)
    assert found.rules.without == (found.names[1],)
    assert f"No rule says: {found.names[1]}." in page
    assert f">{found.profile['member_mean'].iloc[0]:.1%}<" in page


def test_one_segment_has_nothing_to_be_set_apart_from(written):
    table = pd.DataFrame({"visits": [1.0, 2.0, 3.0]}, index=pd.Index(list("abc"), name="customer_id"))
    page = written(segmentation.segment(table, n_segments=1, transform="scale", random_state=0))
    assert page.count("<figcaption>") == 1


def test_every_picture_says_in_words_what_it_shows(written, plan, segments):
    page = written(segments, plan)
    pictures = [attrs for tag, attrs in outline(page).tags if tag == "svg"]
    assert all(attrs["role"] == "img" and len(attrs["aria-label"]) > 20 for attrs in pictures)


def test_headings_and_tables_are_accessible(written, plan):
    tags = outline(written("一", plan, "二", pd.DataFrame({"a": [1]}), "三", pd.DataFrame({"a": [1]}))).tags
    assert sum(tag == "h1" for tag, _ in tags) == 1
    assert sum(tag == "table" for tag, _ in tags) == sum(tag == "caption" for tag, _ in tags)
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_ids_of_two_pictures_on_a_page_do_not_clash(written):
    one, two = (bars({"a": n, "b": 2}, title=f"t{n}", n="3") for n in (1, 5))
    ids = [attrs["id"] for _, attrs in outline(written(one, two)).tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_chinese_stays_text_and_the_words_of_the_report_can_be_chinese(written, plan):
    page = written(plan, bars({"质量问题": 3}, title="投诉", n="3"), lang="zh")
    assert ">质量问题<" in page
    assert 'lang="zh-CN"' in page
    assert "补救" in page
    assert "PingFang SC" in page


def test_equal_parts_give_the_same_bytes_but_for_the_line_with_the_date(written, plan, segments, monkeypatch):
    first = written(segments, plan)
    import crmkit.report._write as module

    class Later(module.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz).replace(year=2031)

    monkeypatch.setattr(module, "datetime", Later)
    second = written(segments, plan)
    different = [(a, b) for a, b in zip(first.splitlines(), second.splitlines(), strict=True) if a != b]
    assert len(different) == 1
    assert "2031" in different[0][1]


def test_a_long_table_says_how_much_of_it_is_shown(written):
    page = written(pd.DataFrame({"a": range(120)}))
    assert "the first 50 of 120 rows" in page
    assert "(no rows)" in written(pd.DataFrame({"a": []}))


def test_values_are_written_as_people_read_them(written):
    table = pd.DataFrame(
        {
            "share": [0.25, np.nan],
            "amount": [1234567.0, 0.5],
            "when": pd.to_datetime(["2024-02-29 00:00", "2024-02-29 07:30"]),
            "rate": pd.Series([Estimate(0.5, n=4, low=0.1, high=0.9), None], dtype=object),
            "flag": [True, False],
        }
    )
    page = written(table)
    for shown in ("25.0%", "–", "1,234,567", "2024-02-29 07:30:00", ">2024-02-29<", "0.5 [0.1, 0.9]", "yes"):
        assert shown in page, shown


def test_estimates_are_shown_with_n_interval_and_method(written):
    figures = {"a": Estimate(0.5, n=4, low=0.1, high=0.9, method="wilson"), "b": Estimate(0.7, n=9, low=0.5, high=0.8)}
    page = written(figures)
    assert "wilson" in page
    assert "4–9" in page
    assert written(figures["a"]).count("<table>") == 1


@pytest.mark.parametrize(
    "part", [pl.DataFrame({"列": [1]}), {"rows": 3, "表": pd.DataFrame({"列": [1]})}, pd.Series([1.5])]
)
def test_tables_of_any_library_and_mappings_are_shown(written, part):
    assert "<table>" in written(part)


def test_a_part_that_cannot_be_shown_is_named_by_position(written):
    with pytest.raises(TypeError, match="part 1 of the report is int"):
        written("heading", 7)


def test_an_unknown_language_is_told(written):
    with pytest.raises(DataError, match="en, zh"):
        written(lang="fr")


def test_the_folder_is_made_and_the_path_given_back(tmp_path):
    path = crmkit.write_report(tmp_path / "new" / "folder" / "report.html")
    assert path.exists()
    assert path.parent.name == "folder"
