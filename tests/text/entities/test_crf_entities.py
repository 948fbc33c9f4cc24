"""A CRF learns names from marked texts, in two scripts, and needs nothing but itself to find them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import crmkit
from crmkit.core.errors import DataError, DataWarning, MissingExtraError, PluginVersionError
from crmkit.privacy import Entity
from crmkit.text import CRFEntities, Gazetteer, find_entities
from crmkit.text.entities._crfsuite import Weights, learn_weights, read_weights
from crmkit.text.entities._features import FeatureTable
from crmkit.text.entities._tokens import CHARACTER, NUMBER, SIGN, WORD, cut_tokens, sequence_bounds

pycrfsuite = pytest.importorskip("pycrfsuite", reason="python-crfsuite (extra ner) is not installed")

CITIES = ["北京", "上海", "广州市", "Berlin", "Paris", "New York"]
FRAMES = ["我在{}买的", "请寄到{}的店", "I live in {} now", "{} is far", "从{}来的客户", "ship it to {}, please"]


def marked(cities=CITIES):
    """Give sentences of each city in each frame, and where the city stands."""
    rows = [(frame, city) for frame in FRAMES for city in cities]
    texts = [frame.format(city) for frame, city in rows]
    spans = [[(frame.index("{"), frame.index("{") + len(city), "city")] for frame, city in rows]
    return texts, spans


@pytest.fixture(scope="module", params=["averaged-perceptron", "l-bfgs"])
def model(request):
    """Give a model of either algorithm."""
    return CRFEntities(algorithm=request.param, min_feature_count=1, random_state=0).fit(*marked())


def test_it_finds_what_it_was_taught_and_names_it_never_saw(model):
    texts, spans = marked()
    assert [[tuple(one) for one in entities] for entities in model.predict(texts)] == spans
    assert model.predict(["我在深圳买的", "ship it to Oslo, please"]) == [
        [Entity(2, 4, "city")],
        [Entity(11, 15, "city")],
    ]


def test_both_scripts_in_one_text_and_full_width_letters_are_read(model):
    assert model.predict(["我在Ｂｅｒｌｉｎ买的", "😀我在北京买的"]) == [[Entity(2, 8, "city")], [Entity(3, 5, "city")]]


@pytest.mark.parametrize("text", ["", " ", "\n", "😀", "\ud800", "\u0301北", "\x00", "。。。", "\u200b"])
def test_strange_texts_are_read_without_error(model, text):
    for one in model.predict([text])[0]:
        assert 0 <= one.start < one.end <= len(text)


def test_a_long_text_is_read_in_pieces_that_lose_nothing(model):
    text = "我在北京买的。" * 2000
    found = model.predict([text])[0]
    assert {(one.start, one.end) for one in found} >= {(7 * place + 2, 7 * place + 4) for place in range(2000)}
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert len(model.predict(["啊" * 50_000])) == 1


def test_seeds_decide_and_nothing_else_does():
    texts, spans = marked()
    first, again, other = (
        CRFEntities(random_state=seed, max_iter=3, min_feature_count=1).fit(texts, spans) for seed in (0, 0, 1)
    )
    assert np.array_equal(first.weights_, again.weights_)
    assert not np.array_equal(first.weights_, other.weights_)


def test_no_file_is_left_behind_also_after_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    CRFEntities().fit(*marked())
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("crmkit.text.entities._crfsuite.read_weights", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        CRFEntities().fit(*marked())
    assert list(tmp_path.iterdir()) == []


def test_the_weights_read_are_those_that_crfsuite_lists(tmp_path):
    rng = np.random.RandomState(0)
    columns, tags, bounds = rng.randint(-1, 40, (300, 5)), rng.randint(0, 4, 300), np.arange(0, 301, 10)
    read = learn_weights(columns, tags, bounds, 6, algorithm="lbfgs", options={"max_iterations": 5}, seed=0)
    trainer = pycrfsuite.Trainer("lbfgs", verbose=False)
    trainer.set_params({"max_iterations": 5})
    for start in range(0, 300, 10):
        rows = [[str(column) for column in row if column >= 0] for row in columns[start : start + 10].tolist()]
        trainer.append(rows, [str(tag) for tag in tags[start : start + 10]])
    trainer.train(str(tmp_path / "model"))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(tmp_path / "model"))
    listed = tagger.info()
    found = dict(zip(zip(read.attribute.tolist(), read.tag.tolist(), strict=True), read.value.tolist(), strict=True))
    expected = {(int(name), int(tag)): weight for (name, tag), weight in listed.state_features.items()}
    assert found == pytest.approx(expected, abs=1e-6)
    moves = {(int(a), int(b)): weight for (a, b), weight in listed.transitions.items()}
    assert {pair: read.transition[pair] for pair in moves} == pytest.approx(moves, abs=1e-6)
    assert read.seen.tolist() == [True] * 4 + [False] * 2
    tagger.close()


@pytest.mark.parametrize("content", [b"", b"lCRF" + bytes(100), b"x" * 100])
def test_a_model_file_of_another_form_is_refused(content):
    with pytest.raises(PluginVersionError, match="cannot read"):
        read_weights(content, 3)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycrfsuite", None)
    with pytest.raises(MissingExtraError, match=r"crmkit\[ner\]"):
        CRFEntities().fit(*marked())


def test_a_saved_model_predicts_where_crfsuite_is_not(tmp_path):
    path = tmp_path / "model"
    model = CRFEntities(random_state=0, min_feature_count=1).fit(*marked())
    crmkit.save(model, path)
    script = (
        "import sys, crmkit; sys.modules['pycrfsuite'] = None;"
        f"print(crmkit.load({str(path)!r}).predict(['我在深圳买的']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stdout.strip() == str(model.predict(["我在深圳买的"]))


def test_probabilities_are_of_l_bfgs_alone(model):
    texts = ["我在北京买的", "I live in Oslo now", ""]
    if model.algorithm == "averaged-perceptron":
        with pytest.raises(DataError, match="l-bfgs"):
            model.score_entities(texts, [[], [], []])
        return
    table = find_entities(model, texts, scores=True)
    assert table["score"].between(0.5, 1).all()
    given = [[(0, 1, "city"), (2, 4, "city"), (2, 4, "planet"), (1, 4, "city")], [(10, 13, "city")], []]
    scores = model.score_entities(texts, given)
    assert [len(one) for one in scores] == [4, 1, 0]
    # In the order of the text: 0:1, 1:4, 2:4 as city, 2:4 as planet.
    assert scores[0][2] == table["score"][0]
    assert scores[0][3] == 0.0
    assert scores[1][0] == 0.0
    assert scores[0].sum() < 1.5
    assert model.score_entities([], []) == []


def test_pruning_keeps_the_largest_weights_and_forgets_the_features_without():
    texts, spans = marked()
    model = CRFEntities(random_state=0, min_feature_count=1).fit(texts, spans)
    small = model.pruned(model.n_weights_ // 2)
    assert small.n_weights_ == model.n_weights_ // 2
    assert np.abs(small.weights_).min() >= np.sort(np.abs(model.weights_))[-small.n_weights_]
    assert sum(map(len, small.features_.keys)) == len(small.weight_counts_) < len(model.weight_counts_)
    right = sum(tuple(one[0]) == span[0] for one, span in zip(small.predict(texts), spans, strict=True) if one)
    assert right > 0.8 * len(texts)
    assert model.n_weights_ > small.n_weights_
    same = CRFEntities(random_state=0, min_feature_count=1, max_weights=small.n_weights_).fit(texts, spans)
    assert np.array_equal(same.weights_, small.weights_)
    assert model.pruned(10**9).predict(texts) == model.predict(texts)
    with pytest.raises(DataError, match="at least 1"):
        model.pruned(0)


def test_a_gazetteer_tells_of_names_that_stand_nowhere_else():
    rng = np.random.RandomState(0)
    words = ["".join(map(chr, row)) for row in rng.randint(0x4E00, 0x9000, size=(400, 2))]
    cities, others = words[:200], words[200:]
    names = Gazetteer().fit({"city": cities})
    texts = [f"看{word}了" for pair in zip(cities[:150], others[:150], strict=True) for word in pair]
    spans = [[(1, 3, "city")], []] * 150
    new = [f"看{word}了" for word in cities[150:] + others[150:]]
    expected = [[Entity(1, 3, "city")]] * 50 + [[]] * 50
    model = CRFEntities(gazetteer=names, random_state=0).fit(texts, spans)
    assert model.predict(new) == expected
    assert CRFEntities(random_state=0).fit(texts, spans).predict(new) != expected
    assert clone(model).fit(texts, spans).predict(new) == expected


def test_words_of_a_segmenter_become_features():
    def halves(run):
        return [run[:2], run[2:]]

    texts, spans = marked()
    model = CRFEntities(segmenter=halves, random_state=0).fit(texts, spans)
    assert [[tuple(one) for one in found] for found in model.predict(texts)] == spans
    with pytest.raises(DataError, match="segmenter changed"):
        CRFEntities(segmenter=lambda run: [run[:1]]).fit(texts, spans)


def test_finds_and_texts_of_any_form_teach_the_same():
    texts, spans = marked()
    table = pd.DataFrame(
        [(place, *one) for place, entities in enumerate(spans) for one in entities],
        columns=["text_id", "start", "end", "label"],
    )
    one = CRFEntities(random_state=0).fit(texts, spans)
    two = CRFEntities(random_state=0).fit(pd.Series(texts, index=range(9, 9 + len(texts))), table)
    assert np.array_equal(one.weights_, two.weights_)


def test_what_cannot_be_learned_from_is_refused_by_position():
    with pytest.raises(DataError, match="no entity"):
        CRFEntities().fit(["a", "b"], [[], []])
    with pytest.raises(DataError, match=r"overlap.*text 1"):
        CRFEntities().fit(["a", "secret"], [[], [(0, 3, "x"), (2, 4, "x")]])
    with pytest.raises(DataError, match="1 lists for 2 texts"):
        CRFEntities().fit(["a", "b"], [[]])
    with pytest.raises(TypeError, match="one str"):
        CRFEntities().fit("a", [[]])
    with pytest.raises(NotFittedError):
        CRFEntities().predict(["a"])
    with pytest.raises(ValueError, match="algorithm"):
        CRFEntities(algorithm="sgd").fit(*marked())


def test_an_entity_of_spaces_alone_teaches_nothing_and_one_within_a_word_the_word():
    texts, spans = marked()
    spans[0] = [*spans[0], (len(texts[0]), len(texts[0]) + 1, "gap")]
    texts[0] += " "
    with pytest.warns(DataWarning, match="white space alone teach nothing: text 0"):
        model = CRFEntities(random_state=0, min_feature_count=1).fit([*texts, "Berliner"], [*spans, [(0, 6, "city")]])
    assert model.labels_ == ["city", "gap"]
    assert model.predict(["Berliner"]) in ([[Entity(0, 8, "city")]], [[]])
    assert {one.label for found in model.predict(texts) for one in found} == {"city"}


def test_tokens_are_words_numbers_characters_and_signs_where_they_stand():
    tokens = cut_tokens(["WCG2009在 the 'ＡＢ!", "", "\x00é"])
    assert tokens.kind.tolist() == [WORD, NUMBER, CHARACTER, WORD, SIGN, WORD, SIGN, WORD]
    assert tokens.start.tolist() == [0, 3, 7, 9, 13, 14, 16, 1]
    assert tokens.end.tolist() == [3, 7, 8, 12, 14, 16, 17, 2]
    assert tokens.words == ["wcg", "2009", "the", "ab"]
    assert "8 tokens of 3 texts" in repr(tokens)


def test_pieces_end_with_sentences_and_never_within_an_entity():
    tokens = cut_tokens(["啊" * 100 + "。" + "啊" * 400])
    assert sequence_bounds(tokens).tolist() == [0, 101, 357, 501]
    inside = np.zeros(501, dtype=bool)
    inside[300:400] = True
    assert sequence_bounds(tokens, inside).tolist() == [0, 101, 299, 501]
    inside[:] = True
    assert sequence_bounds(tokens, inside).tolist() == [0, 501]


def test_features_look_no_further_than_their_text():
    table = FeatureTable()
    learned = table.learn(cut_tokens(["甲乙", "丙丁"]), [], None, min_count=1)
    found = table.find(cut_tokens(["丙丁", "甲乙", "甲丁"]), [], None)
    assert np.array_equal(found[:2], learned[2:])
    assert np.array_equal(found[2:4], learned[:2])
    assert (found[4:] < 0).any()


def test_weights_are_held_as_arrays():
    weights = learn_weights(
        np.zeros((2, 1), dtype=np.int64), np.array([0, 1]), np.array([0, 2]), 5, algorithm="ap", options={}, seed=0
    )
    assert isinstance(weights, Weights)
    assert weights.transition.shape == (5, 5)
    assert not list(Path.cwd().glob("crmkit-*"))
