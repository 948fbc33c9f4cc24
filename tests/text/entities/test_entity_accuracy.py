"""Published figures of CLUENER2020 are reached, on the disk that was promised."""

from __future__ import annotations

import pytest

import crmkit
from crmkit.metrics import entity_f1
from crmkit.text import CRFEntities, read_span_json


@pytest.fixture(scope="module")
def cluener(data_file):
    """Give the training texts, and the public dev set."""
    return [read_span_json(data_file(f"cluener2020/{part}.json"), overlaps="longest") for part in ("train", "test")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("segmenter", "least"),
    [
        # Character features and the averaged perceptron: published .6891; BiLSTM and CRF .6747 (arXiv:2001.04351).
        (None, 0.685),
        ("rjieba", 0.69),
    ],
)
def test_names_in_chinese_news_are_found_as_published(cluener, tmp_path, segmenter, least):
    pytest.importorskip("pycrfsuite", reason="python-crfsuite (extra ner) is not installed")
    if segmenter:
        pytest.importorskip(segmenter, reason="rjieba (extra zh) is not installed")
    (texts, entities), (new, actual) = cluener
    model = CRFEntities(segmenter=segmenter, random_state=0).fit(texts, entities)
    figure = entity_f1(actual, model.predict(new), n_resamples=0)
    assert figure >= least
    small = model.pruned(model.n_weights_ // 2)
    crmkit.save(model, tmp_path / "whole")
    crmkit.save(small, tmp_path / "small")
    assert (tmp_path / "small").stat().st_size < (tmp_path / "whole").stat().st_size < 15e6
    assert entity_f1(actual, small.predict(new), n_resamples=0) >= figure - 0.01
