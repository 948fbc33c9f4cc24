"""The alarm: silent where nothing changes, loud where a subject appears."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmkit import text
from crmkit.core.errors import DataError, DataWarning
from crmkit.text.topics._rises import Dispersion, adjust, dispersion, rise_tests


def usual(scale, freedom=np.inf):
    return Dispersion(np.asarray(scale, dtype=float), freedom)


WORDS = np.array([a + b for a in "bcdfghjklm" for b in ("ata", "eno", "iru", "opa", "ulo", "ani")])


def messages(n, random, *, words=WORDS):
    """Make messages of five words; frequent words are much more frequent than rare ones."""
    share = 1 / np.arange(1, len(words) + 1)
    return [" ".join(random.choice(words, 5, p=share / share.sum())) for _ in range(n)]


@pytest.fixture(scope="module")
def model():
    return text.NMFTopics(3, random_state=0).fit(messages(400, np.random.default_rng(99)))


def test_the_p_value_is_the_exact_test_of_two_rates():
    counts, sizes = np.array([[30.0, 0.0], [12.0, 4.0]]), np.array([1000.0, 100.0])
    tests = rise_tests(counts, sizes, usual([1, 1]))
    expected = [stats.binomtest(12, 42, 100 / 1100, alternative="greater").pvalue, (100 / 1100) ** 4]
    np.testing.assert_allclose(tests.p, expected, rtol=1e-10)
    assert rise_tests(np.array([[3.0], [0.0]]), sizes, usual([1])).p.tolist() == [1.0]


def test_dispersion_divides_what_is_known():
    counts, sizes = np.array([[300.0], [120.0]]), np.array([1000.0, 100.0])
    scaled = rise_tests(counts, sizes, usual([10]))
    np.testing.assert_allclose(scaled.p, rise_tests(counts / 10, sizes, usual([1])).p)


def test_adjusted_values_are_those_of_benjamini_and_hochberg():
    p = np.array([0.01, 0.04, 0.03, 0.5])
    np.testing.assert_allclose(adjust(p), [0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5])
    assert adjust(np.empty(0)).shape == (0,)


def test_chance_is_not_taken_for_dispersion_and_bursts_are():
    random = np.random.default_rng(0)
    sizes = np.full(10, 1000.0)
    quiet = random.binomial(1000, 0.05, size=(10, 200)).astype(float)
    assert dispersion(quiet, sizes).scale.mean() < 1.1
    bursts = random.binomial(1000, random.beta(0.05 * 60, 0.95 * 60, size=(10, 200))).astype(float)
    # Variance over that of a binomial: 1 + (1000 - 1) / (60 + 1) = 17.4.
    assert dispersion(bursts, sizes).scale.mean() == pytest.approx(17.4, rel=0.15)
    both = dispersion(np.hstack([quiet, bursts]), sizes)
    # Half are usual; those that burst keep most of their own, known by few more than their nine degrees of freedom.
    assert np.median(both.scale[:200]) < 10 < np.median(both.scale[200:])
    assert 9 < both.freedom < 20


def test_one_earlier_period_shows_no_dispersion():
    assert dispersion(np.array([[5.0, 0.0]]), np.array([100.0])).scale.tolist() == [1, 1]
    assert dispersion(np.array([[5.0, 0.0], [0.0, 0.0]]), np.array([100.0, 0.0])).scale.tolist() == [1, 1]


def test_a_new_subject_is_found_its_words_named_and_its_rows_given(model):
    random = np.random.default_rng(1)
    texts = messages(1200, random)
    time = np.sort(random.integers(0, 12, 1200)) * 31
    fresh = [f"{word} app crashes login" for word in random.choice(WORDS, 15)]
    found = text.new_topics(model, texts + fresh, [*time, *[time.max()] * 15])
    assert found.alarm
    assert set(found.new["terms"][0]) >= {"app", "crashes", "login"} or "app crashes login" in found.new["terms"][0]
    assert found.new.loc[0, "n_texts"] == 15
    assert found.new.loc[0, "before"] == 0
    assert all(row >= 1200 for row in found.new["rows"][0])
    assert found.n_texts + found.n_before == 1215
    assert found.n_periods == 11
    assert found.terms["rose"].sum() == found.terms.head(int(found.terms["rose"].sum()))["rose"].sum()
    assert "new: " in str(found)
    assert "<table" in found._repr_html_()


def test_more_of_a_known_topic_is_an_alarm_of_that_topic():
    random = np.random.default_rng(2)
    pools = [WORDS[:20], WORDS[20:40], WORDS[40:]]
    model = text.NMFTopics(3, random_state=0).fit([one for pool in pools for one in messages(100, random, words=pool)])
    texts, time = [], []
    for month in range(8):
        for pool, n in zip(pools, (40, 40, 40 if month < 7 else 140), strict=True):
            texts += messages(n, random, words=pool)
            time += [month * 31] * n
    found = text.new_topics(model, texts, time)
    rose = found.topics[found.topics["rose"]]
    assert rose.index.tolist() == [int(model.predict([" ".join(WORDS[40:44])])[0])]
    assert f"more: {rose['label'].iloc[0]}" in str(found)


def test_texts_that_fit_no_topic_are_counted_even_where_no_word_repeats():
    random = np.random.default_rng(3)
    model = text.NMFTopics(3, random_state=0).fit(messages(300, random))
    texts = messages(800, random)
    time = [*(np.arange(800) % 10 * 31)]
    # Each strange message has words of its own, so no term can rise.
    strange = [" ".join(f"q{chr(97 + n % 26)}{chr(97 + n // 26)}{word}" for word in "xyzvw") for n in range(60)]
    found = text.new_topics(model, texts + strange, time + [9 * 31] * 60)
    assert not found.terms["rose"].any()
    assert found.unplaced["rose"].tolist() == [True]
    assert "fit no topic" in str(found)


@pytest.mark.slow
def test_no_change_gives_no_alarm_more_often_than_the_level():
    """Of 200 companies in which nothing changes, at level .05, at most 10 are expected; 17 are improbable (.03)."""
    alarms = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        texts = messages(250, random)
        fitted = text.NMFTopics(2, random_state=0, terms=text.ReadableTerms(joined=False)).fit(texts)
        found = text.new_topics(fitted, texts, np.arange(250) % 8 * 31, level=0.05)
        alarms += found.alarm
    assert alarms <= 17


@pytest.mark.parametrize("bursts", [[150.0], [30.0, 100.0, 300.0, 1e5]])
def test_months_that_vary_more_than_by_chance_give_no_more_alarms(bursts):
    """Monthly shares from beta distributions, alike or not: without the dispersion nearly every month is an alarm."""
    naive = careful = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        sizes = np.full(12, 800.0)
        of = random.choice(bursts, 60)
        counts = random.binomial(800, random.beta(0.05 * of, 0.95 * of, size=(12, 60))).astype(float)
        careful += (adjust(rise_tests(counts, sizes, dispersion(counts[:-1], sizes[:-1])).p) <= 0.01).any()
        naive += (adjust(rise_tests(counts, sizes, usual(np.ones(60))).p) <= 0.01).any()
    assert naive > 150
    assert careful <= 7


def test_what_is_known_by_few_periods_is_trusted_less():
    counts, sizes = np.array([[30.0], [12.0]]), np.array([1000.0, 100.0])
    sure, unsure = (rise_tests(counts, sizes, usual([1], freedom)).p[0] for freedom in (np.inf, 5.0))
    assert unsure == pytest.approx(stats.t.sf(stats.norm.isf(sure), 5))
    assert unsure > sure


def test_the_latest_month_alone_is_nothing_to_compare(model):
    with pytest.raises(DataError, match="all 5 texts are of one month"):
        text.new_topics(model, messages(5, np.random.default_rng(0)), ["2026-01-01"] * 5)


def test_one_earlier_month_is_told_in_the_note(model):
    texts = messages(200, np.random.default_rng(0))
    found = text.new_topics(model, texts, ["2026-01-01"] * 150 + ["2026-02-01"] * 50)
    assert "one earlier period" in found.note
    assert found.note in str(found)
    assert not found.alarm
    assert str(found).startswith("no alarm, period from 2026-02-01: 50 texts against 150 in 1 before it")


def test_too_few_texts_to_fit_halves_is_told_in_the_note():
    texts = messages(14, np.random.default_rng(0))
    big = text.NMFTopics(12, random_state=0).fit(texts)
    found = text.new_topics(big, texts, ["2026-01-01"] * 7 + ["2026-02-01"] * 7)
    assert "were not tested" in found.note
    assert len(found.unplaced) == 0


def test_texts_without_a_time_keep_the_positions_of_the_others(model):
    random = np.random.default_rng(4)
    texts = ["", *messages(600, random), *["app crashes"] * 14]
    time = [None, *[f"2026-{1 + n % 9:02d}-05" for n in range(600)], *["2026-09-09"] * 14]
    with pytest.warns(DataWarning, match="want of a time: row 0"):
        found = text.new_topics(model, texts, time)
    assert all("crashes" in texts[row] for row in found.new["rows"][0])


def test_the_seed_decides_and_the_model_stays_as_it_was(model):
    texts = messages(300, np.random.default_rng(5))
    time = np.arange(300) % 6 * 31
    before = model.transform(texts)
    unseeded = text.NMFTopics(3).fit(texts)
    for one in (model, unseeded):
        first, second = (text.new_topics(one, texts, time, random_state=3) for _ in range(2))
        pd.testing.assert_frame_equal(first.terms, second.terms)
        pd.testing.assert_frame_equal(first.unplaced, second.unplaced)
    np.testing.assert_array_equal(model.transform(texts), before)


def test_levels_are_checked(model):
    with pytest.raises(DataError, match="level must lie between"):
        text.new_topics(model, ["late"], ["2026-01-01"], level=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("intent", "word"), [("verify_source_of_funds", "source"), ("age_limit", "age"), ("automatic_top_up", "auto")]
)
def test_a_bank_intent_held_out_of_history_is_found(data_file, intent, word):
    """Measured on twelve intents drawn at random: of 60 messages all are found, of 30 seven, of 15 four."""
    bank = pd.read_csv(data_file("banking77/train.csv"))
    random = np.random.default_rng(0)
    own = random.choice(np.flatnonzero(bank["category"] == intent), 40, replace=False)
    rest = random.choice(np.flatnonzero(bank["category"] != intent), 4000, replace=False)
    time = np.concatenate([random.integers(0, 12, len(rest)), np.full(len(own), 11)]) * 31
    texts = bank["text"].to_numpy()[np.concatenate([rest, own])]
    model = text.NMFTopics(20, random_state=0).fit(texts[: len(rest)][time[: len(rest)] < time.max()])
    found = text.new_topics(model, texts, time)
    assert found.alarm
    assert any(word in term for terms in found.new["terms"] for term in terms)
    labels = bank["category"].to_numpy()[np.concatenate([rest, own])]
    assert (labels[found.new["rows"][0]] == intent).mean() >= 0.6
