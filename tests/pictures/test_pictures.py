"""Pictures take whatever numbers there are, say what they show, and keep their text."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from crmkit import DataError, Estimate, report
from crmkit.pictures import Picture, bars, curve, heat_map, intervals, percent, snake


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"a": 0},
        {"a": float("nan")},
        {"a": -3, "b": 5},
        {"x" * 200: 1e12, "$a$": 1e-9},
        pd.DataFrame({"p": [1], "q": [2]}),
    ],
)
def test_bars_take_whatever_numbers_there_are(values):
    picture = bars(values, title="T", n="3")
    assert picture.svg.startswith("<svg")
    assert "T" in picture.alt


def test_bars_draw_the_first_rows_of_many_and_say_so():
    assert "25 / 60" in bars({str(i): i for i in range(60)}, title="T", n="3").title


def test_an_infinite_value_is_refused():
    with pytest.raises(DataError, match="infinite"):
        bars({"a": float("inf")}, title="T", n="1")


def test_curves_are_sorted_and_leave_missing_points_out():
    picture = curve(
        [3, 1, 2], [9, float("nan"), 4], title="T", n="1", x_label="x", y_label="y", mark=2, mark_label="now"
    )
    assert picture.alt == "T: x 1: y –; x 2: y 4; x 3: y 9"
    with pytest.raises(DataError, match="one length"):
        curve([1], [1, 2], title="T", n="1", x_label="x", y_label="y")


def test_heat_maps_need_two_frames_of_one_shape():
    shade = pd.DataFrame({"a": [1.0, -1.0, np.nan], "b": [0.0, 0.5, 0.1]}, index=["x", "y", "z"])
    assert "blue" in heat_map(shade, shade, title="T", n="3", key="blue is more").title
    with pytest.raises(DataError, match="one shape"):
        heat_map(shade, shade.iloc[:1], title="T", n="3", key="k")


def test_an_estimate_without_an_interval_is_a_dot():
    picture = intervals({"a": Estimate(0.5, n=1, low=float("nan"), high=float("nan"))}, title="T", n="1")
    assert "(– to –, n = 1)" in picture.alt


def test_a_picture_stands_in_a_figure_with_its_caption():
    assert (
        Picture("<svg/>", title="A & B", alt="", n="3")
        ._repr_html_()
        .startswith("<figure><figcaption>A &amp; B (n = 3)")
    )


def texts(picture):
    """Give what is written in a picture, in the order of the file."""
    return [re.sub(r"<[^>]*>", "", text) for text in re.findall(r"<text[^>]*>.*?</text>", picture.svg, re.DOTALL)]


def colours(picture):
    """Give the fills of the areas of a picture."""
    areas = re.sub(r"<text.*?</text>", "", picture.svg, flags=re.DOTALL)
    return re.findall(r"fill: (#[0-9a-f]{6})", areas)


def test_report_still_offers_what_it_offered():
    for name in ("Picture", "bars", "curve", "heat_map", "intervals"):
        assert name in report.__all__
    assert report.bars is bars


def test_a_picture_is_saved_as_a_file_that_xml_readers_take(tmp_path):
    picture = bars({"退款 & <b>": 3, '"call"': 1}, title="T", n="4")
    path = picture.save(tmp_path / "bars.svg")
    tree = ET.parse(path)  # noqa: S314 -- the file was written by the line above
    assert tree.getroot().tag.endswith("svg")
    assert "退款 & <b>" in "".join(tree.getroot().itertext())
    assert "var(" not in path.read_text(encoding="utf-8")
    assert "Noto Sans CJK SC" in path.read_text(encoding="utf-8")
    with pytest.raises(DataError, match=r"\.svg"):
        picture.save(tmp_path / "bars.png")


def test_a_share_is_written_in_percent_and_a_missing_one_as_a_dash():
    assert [percent(0.256), percent(float("nan"))] == ["25.6%", "–"]


def test_every_text_is_set_in_the_fonts_of_the_page():
    picture = bars({"退款": 3, "call": 1}, title="T", n="4")
    assert "DejaVu" not in picture.svg
    assert picture.svg.count("var(--fonts, sans-serif)") == picture.svg.count("<text")


def test_equal_pictures_are_equal_to_the_byte_and_others_share_no_id():
    frame = pd.DataFrame({"a": [1.0, -1.0], "b": [0.5, np.nan]}, index=["x", "y"])
    first, again = (snake(frame, title="T", n="2", y_label="z") for _ in range(2))
    other = snake(-frame, title="T", n="2", y_label="z")
    assert first.svg == again.svg
    ids = [set(re.findall(r' id="([^"]+)"', picture.svg)) for picture in (first, other)]
    assert not ids[0] & ids[1]


class TestHeatMap:
    def test_every_cell_and_header_is_written(self):
        shade = pd.DataFrame({"a": [1.0, -1.0], "b": [0.0, 0.5]}, index=["x", "y"])
        text = pd.DataFrame({"a": [10_809.4, 2], "b": [0.25, np.nan]}, index=["x", "y"])
        picture = heat_map(shade, text, title="T", n="3", key="k")
        assert {"10,809", "2", "0.25", "–", "a", "b", "x", "y"} == set(texts(picture))
        assert picture.alt == "T – k. x: a 10,809, b 0.25; y: a 2, b –"

    def test_what_is_above_and_below_the_middle_differs_in_hue_and_the_middle_is_white(self):
        shade = pd.DataFrame({"a": [1.0, -1.0, 0.0, np.nan]})
        assert colours(heat_map(shade, shade, title="T", n="3", key="k"))[-4:] == [
            "#1f6f8b",
            "#e08e45",
            "#ffffff",
            "#ffffff",
        ]

    def test_a_given_end_of_the_scale_makes_small_differences_look_small(self):
        shade = pd.DataFrame({"a": [0.1, -0.1]})
        wide = colours(heat_map(shade, shade, title="T", n="3", key="k", full=1.0))[-2:]
        own = colours(heat_map(shade, shade, title="T", n="3", key="k"))[-2:]
        assert own == ["#1f6f8b", "#e08e45"]
        assert all(int(colour[1:3], 16) > 0xD0 for colour in wide)
        beyond = heat_map(shade * 90, shade, title="T", n="3", key="k", full=1.0)
        assert colours(beyond)[-2:] == own
        for full in (0, -1, float("nan"), float("inf")):
            with pytest.raises(DataError, match="full must be a positive number"):
                heat_map(shade, shade, title="T", n="3", key="k", full=full)

    def test_headers_that_do_not_fit_stand_aslant_and_whole(self):
        names = [f"average_days_between_{place}" for place in range(10)]
        frame = pd.DataFrame(np.eye(10), columns=names, index=[f"r{place}" for place in range(10)])
        picture = heat_map(frame, frame, title="T", n="3", key="k")
        assert set(names) <= set(texts(picture))
        assert "rotate(-35" in picture.svg

    def test_no_rows_and_no_columns_are_drawn_empty(self):
        assert heat_map(pd.DataFrame(), pd.DataFrame(), title="T", n="0", key="k").svg.startswith("<svg")


class TestSnake:
    def test_every_line_is_in_the_legend_and_every_column_below(self):
        frame = pd.DataFrame({"recency": [-0.4, 1.5], "消费": [1.25, np.nan]}, index=["忠诚", "lost & <gone>"])
        picture = snake(frame, title="T", n="9", y_label="robust z", middle="everybody")
        assert {"recency", "消费", "忠诚", "lost &amp; &lt;gone&gt;", "robust z", "everybody"} <= set(texts(picture))
        assert picture.alt == "T: 忠诚: recency -0.4, 消费 1.25; lost & <gone>: recency 1.50, 消费 –"

    @pytest.mark.parametrize(("far", "bent"), [(5.9, False), (60.0, True), (-60.0, True)])
    def test_far_values_bend_the_scale_which_is_said(self, far, bent):
        picture = snake(pd.DataFrame({"a": [0.5, far]}), title="T", n="9", y_label="robust z")
        assert ("robust z (asinh)" in texts(picture)) is bent
        if bent:
            assert {"0", "50" if far > 0 else "-50"} <= set(texts(picture))

    def test_the_scale_can_be_given(self):
        frame = pd.DataFrame({"a": [0.5, 60.0]})
        assert "z" in texts(snake(frame, title="T", n="9", y_label="z", scale="linear"))
        assert "z (asinh)" in texts(snake(frame / 60, title="T", n="9", y_label="z", scale="signed-log"))
        with pytest.raises(DataError, match="scale must be"):
            snake(frame, title="T", n="9", y_label="z", scale="log")

    def test_heights_are_those_of_the_values(self):
        frame = pd.DataFrame([[0.0, 1.0, -2.0]], columns=list("abc"))
        path = re.search(r'<path d="(M[^"]*)" clip-path[^>]*stroke: #1f6f8b', snake(
            frame, title="T", n="9", y_label="z").svg.replace("\n", " "))  # fmt: skip
        across, down = np.array(re.findall(r"-?\d+\.?\d*", path.group(1)), dtype=float).reshape(-1, 2).T
        assert np.diff(across)[0] == pytest.approx(np.diff(across)[1], rel=1e-4)
        # SVG counts downwards: one up, three down.
        assert (down[2] - down[1]) / (down[0] - down[1]) == pytest.approx(3, rel=1e-3)

    def test_lines_beyond_the_most_are_left_out_and_said(self):
        picture = snake(pd.DataFrame({"a": np.arange(20.0)}), title="T", n="9", y_label="z")
        assert picture.title == "T – 12 / 20"
        assert picture.alt.count(";") == 11

    def test_no_two_of_twelve_lines_look_alike(self):
        from crmkit.pictures._snake import _look

        assert len({repr(_look(row)) for row in range(18)}) == 18

    @pytest.mark.parametrize(
        "values",
        [
            pd.DataFrame(),
            pd.DataFrame({"a": [np.nan]}),
            pd.DataFrame({"a": [0.0], "b": [0.0]}),
            pd.DataFrame({"a": [1e9, -1e9, 1e-9]}),
            pd.DataFrame({"a" * 90: [1.0], "$b$": [-1.0]}),
        ],
    )
    def test_whatever_numbers_there_are_are_drawn(self, values):
        assert snake(values, title="T", n="3", y_label="z").svg.startswith("<svg")

    def test_an_infinite_value_is_refused(self):
        with pytest.raises(DataError, match="infinite"):
            snake(pd.DataFrame({"a": [np.inf]}), title="T", n="3", y_label="z")

    def test_thirty_names_aslant_stay_inside_the_picture(self):
        names = [f"column_{place}" for place in range(30)]
        picture = snake(pd.DataFrame([np.linspace(-1, 1, 30)], columns=names), title="T", n="3", y_label="z")
        assert set(names) <= set(texts(picture))


def test_without_matplotlib_the_exact_command_is_told(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'crmkit\[report\]'"):
        snake(pd.DataFrame({"a": [1.0]}), title="T", n="3", y_label="z")
