"""The alarm: silent where nothing changes, loud where a subject appears."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmkit import text
from crmkit.core.errors import DataError, DataWarning
from crmkit.text.topics._bunches import Bunches, learn_bunches
from crmkit.text.topics._rises import adjust, could_rise, rise_tests


def by_chance(n_series):
    return Bunches(np.ones((n_series, 1)), np.full((n_series, 1), np.inf), np.ones(n_series))


def at_most(n_runs, level):
    """Give the number of alarms that as many runs at this level exceed once in a thousand times."""
    return stats.binom.ppf(0.999, n_runs, level)


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
    tests = rise_tests(counts, sizes, by_chance(2))
    expected = [stats.binomtest(12, 42, 100 / 1100, alternative="greater").pvalue, (100 / 1100) ** 4]
    np.testing.assert_allclose(tests.p, expected, rtol=1e-10)
    assert rise_tests(np.array([[3.0], [0.0]]), sizes, by_chance(1)).p.tolist() == [1.0]


@pytest.mark.parametrize(("latest", "larger"), [(350.0, 1.0), (1400.0, 1400 / 700)])
def test_where_bunches_are_known_the_p_value_is_beta_binomial(latest, larger):
    """A latest period larger than the mean is trusted by that much less."""
    counts = np.array([[30.0, 0.0, 7.0], [3.0, 2.0, 9.0], [12.0, 4.0, 1.0]])
    sizes = np.array([350.0, 350.0, latest])
    known = Bunches(np.tile([0.25, 0.75], (3, 1)), np.tile([np.inf, 8.0], (3, 1)), np.full(3, 2.0))
    late, n, total = latest / sizes.sum(), counts[-1], counts.sum(axis=0)
    expected = 0.25 * stats.binom.sf(n - 1, total, late)
    expected += 0.75 * stats.betabinom.sf(n - 1, total, 8 * late / larger, 8 * (1 - late) / larger)
    np.testing.assert_allclose(rise_tests(counts, sizes, known).p, expected, rtol=1e-9)


@pytest.mark.parametrize("besides", [0, 4])
def test_only_what_could_be_an_alarm_shares_the_level(besides):
    total = np.array([1, 1, 1, 2, 2, 3, 3, 4, 5, 9, 40], dtype=float)
    tested = could_rise(total, 1 / 12, 0.01, besides=besides)
    # By trying every number of tests in turn (Tarone 1990).
    for n_tests in range(1, 20):
        possible = (1 / 12) ** total <= 0.01 / n_tests
        if possible.sum() + besides <= n_tests:
            break
    assert tested.tolist() == possible.tolist()
    assert 0 < tested.sum() < len(total)
    assert could_rise(np.empty(0), 0.5, 0.01).shape == (0,)


def test_adjusted_values_are_those_of_benjamini_and_hochberg():
    p = np.array([0.01, 0.04, 0.03, 0.5])
    np.testing.assert_allclose(adjust(p), [0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5])
    assert adjust(np.empty(0)).shape == (0,)


def test_chance_is_not_taken_for_bunches_and_bunches_are_known():
    random = np.random.default_rng(0)
    sizes = np.full(11, 1000.0)
    quiet = random.poisson(20, size=(11, 150)).astype(float)
    assert learn_bunches(quiet, sizes).size.mean() < 1.1
    # Negative binomial with mean 20 and variance 8 x 20.
    bunched = random.negative_binomial(20 / 7, 1 / 8, size=(11, 150)).astype(float)
    assert learn_bunches(bunched, sizes).size.mean() == pytest.approx(8, rel=0.2)
    both = learn_bunches(np.hstack([quiet, bunched]), sizes)
    assert both.size[:150].mean() < 1.3
    assert both.size[150:].mean() > 6
    np.testing.assert_allclose(both.weight.sum(axis=1), 1)


def test_a_word_without_a_history_is_taken_for_one_like_the_others():
    random = np.random.default_rng(1)
    sizes = np.full(12, 500.0)
    fresh = np.zeros((12, 1))
    fresh[-1] = 10
    p = {}
    for name, usual in {"alone": random.poisson(2, (12, 60)), "in tens": 10 * random.poisson(0.2, (12, 60))}.items():
        counts = np.hstack([usual.astype(float), fresh])
        p[name] = rise_tests(counts, sizes, learn_bunches(counts, sizes)).p[-1]
    assert p["alone"] < 1e-4
    assert p["in tens"] > 0.01


def test_one_earlier_period_shows_no_bunches():
    assert learn_bunches(np.array([[5.0, 0.0], [1.0, 9.0]]), np.array([100.0, 50.0])).size.tolist() == [1, 1]
    assert learn_bunches(np.array([[5.0], [0.0], [3.0]]), np.array([100.0, 0.0, 9.0])).size.tolist() == [1]


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


MONTHS, TEXTS, SIXTY = 12, 800, 60


def chance_alone(random, share):
    return random.binomial(TEXTS, share, size=(MONTHS, SIXTY))


def months_that_vary(random, share):
    """Draw monthly shares from beta distributions that differ from word to word."""
    of = random.choice([30.0, 100.0, 300.0, 1e5], SIXTY)
    return random.binomial(TEXTS, random.beta(share * of, (1 - share) * of, size=(MONTHS, SIXTY)))


def bunches_of_some_words(random, share):
    """Half of the words come in bunches of eight messages within a month."""
    counts = random.poisson(share * TEXTS, size=(MONTHS, SIXTY))
    counts[:, ::2] = 8 * random.poisson(share * TEXTS / 8, size=(MONTHS, SIXTY // 2))
    return counts


def alarms_of(history, share, n_runs):
    """Count the alarms at .01 and .05 among histories in which nothing changes, and those of a test by chance alone."""
    alarms = np.zeros(3)
    for seed in range(n_runs):
        counts, sizes = history(np.random.default_rng(seed), share).astype(float), np.full(MONTHS, float(TEXTS))
        counts = counts[:, could_rise(counts.sum(axis=0), 1 / MONTHS, 0.05)]
        least = adjust(rise_tests(counts, sizes, learn_bunches(counts, sizes)).p).min(initial=1.0)
        naive = adjust(rise_tests(counts, sizes, by_chance(counts.shape[1])).p).min(initial=1.0)
        alarms += [least <= 0.01, least <= 0.05, naive <= 0.01]
    return alarms


@pytest.mark.slow
@pytest.mark.parametrize(
    ("history", "share", "n_runs"),
    [
        (chance_alone, 0.004, 1000),
        (months_that_vary, 0.004, 1000),
        (months_that_vary, 0.05, 100),
        (bunches_of_some_words, 0.004, 1000),
    ],
)
def test_no_change_gives_alarms_no_more_often_than_the_level(history, share, n_runs):
    strict, usual, naive = alarms_of(history, share, n_runs)
    assert strict <= at_most(n_runs, 0.01)
    assert usual <= at_most(n_runs, 0.05)
    if history is not chance_alone:
        assert naive > 0.3 * n_runs


@pytest.mark.slow
@pytest.mark.parametrize("customers", [False, True])
def test_histories_of_messages_in_which_nothing_changes(customers):
    """A hundred companies; where customers write many messages of few words of their own, they are told."""
    least = []
    for seed in range(100):
        random = np.random.default_rng(seed)
        who = random.permutation(np.repeat(np.arange(60), random.geometric(0.25, 60))[:250])
        texts = messages(len(who), random)
        if customers:
            own = random.choice(WORDS, (60, 5))
            texts = [" ".join(random.choice(own[one], 5)) for one in who]
        # A customer writes in one or two months only.
        month = (random.integers(0, 8, 60)[who] + (random.random(len(who)) < 0.2)) % 8
        fitted = text.NMFTopics(2, random_state=0, max_iter=2000, terms=text.ReadableTerms(joined=False)).fit(texts)
        found = text.new_topics(fitted, texts, month * 31, level=0.05, customers=who if customers else None)
        least.append(min(table["p_adjusted"].min() for table in (found.terms, found.topics, found.unplaced)))
    assert (np.array(least) <= 0.05).sum() <= at_most(100, 0.05)
    assert (np.array(least) <= 0.01).sum() <= at_most(100, 0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("file", "column"), [("banking77/train.csv", "text"), ("waimai_10k/waimai_10k.csv", "review")])
def test_real_messages_in_any_order_are_no_alarm(data_file, file, column):
    every = pd.read_csv(data_file(file))[column].astype(str).to_numpy()
    texts = np.random.default_rng(1).choice(every, 1200, replace=False)
    model = text.NMFTopics(5, random_state=0, max_iter=1000).fit(texts)
    alarms = 0
    for seed in range(40):
        month = np.random.default_rng(seed).permutation(len(texts)) % 12
        alarms += text.new_topics(model, texts, month * 31, level=0.05).alarm
    assert alarms <= at_most(40, 0.05)


def test_a_customer_counts_once_a_month(model):
    random = np.random.default_rng(6)
    texts = messages(900, random)
    time = [*(np.arange(900) % 9 * 31)]
    angry = [f"{word} app crashes login" for word in random.choice(WORDS, 20)]
    who = [*range(900), *["angry"] * 20]
    texts, time = texts + angry, time + [8 * 31] * 20
    assert text.new_topics(model, texts, time).alarm
    found = text.new_topics(model, texts, time, customers=who)
    assert not found.alarm
    assert (found.unit, found.n_texts, found.n_before) == ("customers", 101, 800)
    assert "101 customers against 800" in str(found)
    # Twenty different ones are an alarm; of whom the name is missing counts for himself.
    many = text.new_topics(model, texts, time, customers=[*range(900), *range(1000, 1010), *[None] * 10])
    assert many.new.loc[0, "n_texts"] == 20
    assert all("crashes" in texts[row] for row in many.new["rows"][0])


def test_customers_who_write_more_than_before_are_no_alarm_by_themselves(model):
    """All write of the same things, but in the last month ten messages each instead of one."""
    random = np.random.default_rng(8)
    texts = messages(8 * 100 + 1000, random)
    time = np.concatenate([np.repeat(np.arange(8), 100), np.full(1000, 8)]) * 31
    who = np.concatenate([np.tile(np.arange(100), 8), np.repeat(np.arange(100), 10)])
    found = text.new_topics(model, texts, time, customers=who)
    assert not found.terms["rose"].any()
    assert not found.topics["rose"].any()


@pytest.mark.parametrize(
    ("customers", "error", "message"),
    [("a", TypeError, "one-dimensional"), (["a"], ValueError, "2 texts and 1 customers")],
)
def test_customers_must_be_one_a_text(model, customers, error, message):
    with pytest.raises(error, match=message):
        text.new_topics(model, ["late", "lost"], ["2026-01-01", "2026-02-01"], customers=customers)


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
    """Forty messages of an intent that was not there before."""
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
