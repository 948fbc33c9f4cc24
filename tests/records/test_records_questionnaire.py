"""Questionnaires, wide and long."""

from __future__ import annotations

import pytest

from crmkit import records
from crmkit.core.errors import SchemaError
from crmkit.records import Scale, questionnaire

LIKERT = {"非常满意": 5, "满意": 4, "一般": 3, "不满意": 2, "非常不满意": 1}


def answers(loaded):
    return list(loaded.table[["customer_id", "question", "score"]].itertuples(index=False, name=None))


class TestScale:
    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"low": 5, "high": 1}, "needs low < high"),
            ({"low": 1, "high": 5, "step": 3}, "step 3 does not lead from 1 to 5"),
            ({"low": 1, "high": 5, "step": 0}, "step 0"),
            ({"low": 1, "high": 5, "labels": {"great": 6}}, "label 'great' stands for 6"),
            ({"low": 1, "high": 5, "labels": {"good": 4.5}}, "label 'good' stands for 4.5"),
        ],
    )
    def test_a_scale_that_is_none_is_refused(self, given, message):
        with pytest.raises(ValueError, match=message):
            Scale(**given)

    def test_labels_are_compared_without_width_and_case(self):
        scale = Scale(1, 5, labels={"Very Satisfied": 5})
        assert scale.score_of(" ｖｅｒｙ satisfied") == 5.0
        assert scale.score_of("so so") is None

    def test_a_scale_without_steps_allows_everything_between(self):
        assert Scale(0, 1, step=None).on_grid(0.123)
        assert Scale(0.5, 5, step=0.5).on_grid(3.5)


class TestWide:
    def test_each_answer_becomes_a_row(self):
        source = {"客户编号": ["a", "b"], "时间": ["2024-05-01", "2024-05-02"], "q1": [5, 4], "q2": [10, 0]}
        loaded = questionnaire(source, {"q1": (1, 5), "q2": (0, 10)})
        assert answers(loaded) == [("a", "q1", 5.0), ("b", "q1", 4.0), ("a", "q2", 10.0), ("b", "q2", 0.0)]
        assert loaded.table["scale_high"].tolist() == [5.0, 5.0, 10.0, 10.0]
        assert loaded.table["respondent_row"].tolist() == [0, 1, 0, 1]
        assert loaded.table["day"].tolist() == [19844, 19845] * 2

    def test_every_unusable_answer_is_set_aside_with_its_reason(self):
        source = {"customer_id": ["a", "b", "c", "d", None], "q1": ["6", "", "good", "3.5", "4"]}
        loaded = questionnaire(source, {"q1": (1, 5)})
        assert loaded.report.n_valid == 0
        assert loaded.set_aside["reason"].tolist() == [
            "score: not on the question's scale",
            "score: not answered",
            "score: not a number",
            "score: not on the question's scale",
            "customer_id: missing",
        ]
        assert loaded.set_aside["answer"].tolist() == ["6", "", "good", "3.5", "4"]

    def test_answers_in_words_are_scored(self):
        loaded = questionnaire({"customer_id": ["a", "b"], "q1": ["满意", "3"]}, {"q1": Scale(1, 5, labels=LIKERT)})
        assert [score for _, _, score in answers(loaded)] == [4.0, 3.0]

    def test_a_scale_without_steps_takes_any_number_between(self):
        loaded = questionnaire({"customer_id": ["a", "b"], "q1": [0.33, 1.1]}, {"q1": Scale(0, 1, step=None)})
        assert answers(loaded) == [("a", "q1", 0.33)]

    def test_a_reversed_question_is_turned_round(self):
        loaded = questionnaire({"customer_id": ["a", "b"], "q1": [5, 2]}, {"q1": Scale(1, 5, reverse=True)})
        assert [score for _, _, score in answers(loaded)] == [1.0, 4.0]

    def test_raising_tells_every_unusable_answer(self):
        with pytest.raises(SchemaError) as caught:
            questionnaire({"customer_id": ["a", "b"], "q1": [9, None]}, {"q1": (1, 5)}, on_error="raise")
        assert [problem.reason for problem in caught.value.problems] == ["not on the question's scale", "not answered"]

    def test_a_question_without_a_column_is_told(self):
        with pytest.raises(SchemaError, match="q2: is no header; the source has: 'customer_id', 'q1'"):
            questionnaire({"customer_id": ["a"], "q1": [1]}, {"q1": (1, 5), "q2": (1, 5)})

    def test_a_missing_customer_column_is_told(self):
        with pytest.raises(SchemaError, match="customer_id: is missing"):
            questionnaire({"q1": [1]}, {"q1": (1, 5)})

    def test_other_columns_go_with_every_answer(self):
        source = {"customer_id": ["a"], "q1": [1], "q2": [2], "shop": ["x"], "question": ["own"], "answer": ["own"]}
        table = questionnaire(source, {"q1": (1, 5), "q2": (1, 5)}).table
        assert table["shop"].tolist() == ["x", "x"]
        assert table["answer (source)"].tolist() == ["own", "own"]

    def test_headers_are_found_whatever_their_case(self):
        assert answers(questionnaire({"customer_id": ["a"], "Ｑ1 ": [1]}, {"q1": (1, 5)})) == [("a", "q1", 1.0)]

    def test_a_file_of_headers_alone_gives_no_rows(self, tmp_path):
        path = tmp_path / "survey.csv"
        path.write_text("customer_id,q1\n", encoding="utf-8")
        assert len(questionnaire(path, {"q1": (1, 5)}).table) == 0


class TestLong:
    def test_each_row_is_an_answer(self):
        source = {"customer_id": ["a", "a"], "question": ["q1", "q2"], "score": ["5", "10"]}
        assert answers(questionnaire(source, {"q1": (1, 5), "q2": (0, 10)}, layout="long")) == [
            ("a", "q1", 5.0),
            ("a", "q2", 10.0),
        ]

    def test_a_question_without_a_scale_is_set_aside(self):
        source = {"who": ["a", "b", "c"], "题目": ["q1", "q9", None], "得分": [5, 5, 5]}
        loaded = questionnaire(source, {"q1": (1, 5)}, layout="long", columns={"customer_id": "who"})
        assert loaded.set_aside["reason"].tolist() == ["question: has no declared scale", "question: missing"]

    def test_a_source_without_questions_is_told(self):
        with pytest.raises(SchemaError, match="no column of questions"):
            questionnaire({"customer_id": ["a"], "score": [1]}, {"q1": (1, 5)}, layout="long")


def test_words_that_are_no_choice_are_refused():
    with pytest.raises(ValueError, match="layout must be 'wide' or 'long', got 'tall'"):
        questionnaire({}, {"q1": (1, 5)}, layout="tall")
    with pytest.raises(ValueError, match="on_error must be"):
        questionnaire({}, {"q1": (1, 5)}, on_error="skip")
    with pytest.raises(ValueError, match="scales is empty"):
        questionnaire({}, {})


def test_no_answer_is_lost():
    source = {"customer_id": ["a", None, "c"], "q1": [1, 9, None], "q2": ["x", 3, 5]}
    loaded = questionnaire(source, {"q1": (1, 5), "q2": (1, 5)})
    assert loaded.report.n_rows == 6
    assert sorted([*loaded.rows.tolist(), *loaded.set_aside["row"].tolist()]) == list(range(6))


def test_the_scores_are_feedback_that_csat_takes():
    from crmkit.metrics import csat

    loaded = questionnaire({"customer_id": list("abcde"), "q1": [5, 5, 4, 2, 1]}, {"q1": (1, 5)})
    assert loaded.schema is records.FEEDBACK
    assert csat(loaded.table["score"]) == pytest.approx(0.6)
