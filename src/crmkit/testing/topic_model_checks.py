"""What every topic model must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.testing.tables import texts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]

STRANGE = ["", " \n\t", "😀", "。", "a\x00b", "\ud800", "ｆｕｌｌ width", "<b>包裹</b>", "zzzz unheard of", "啊" * 999]


def _fitted(plugin: Plugin) -> tuple[Any, list[str]]:
    """Give a model fitted on two topics in two languages, and its texts."""
    sample, _ = texts()
    return plugin.make().fit(sample), sample


def _weights(model: Any, sample: Any) -> npt.NDArray[np.float64]:
    """Give the weights as an array."""
    import numpy as np

    return np.asarray(model.transform(sample), dtype=np.float64)


def check_weights_one_row_a_text(plugin: Plugin) -> None:
    """``transform`` gives (n_texts, n_topics) weights that are not negative."""
    import numpy as np

    sample, _ = texts()
    model = plugin.make()
    assert model.fit(sample) is model, "fit must return self"
    weights = np.asarray(model.transform(sample))
    assert weights.ndim == 2, f"expected two dimensions, got {weights.ndim}"
    assert len(weights) == len(sample), f"expected {len(sample)} rows, got {len(weights)}"
    assert np.isfinite(weights).all(), "a weight is not finite"
    assert (weights >= 0).all(), "a weight is negative"


def check_topics_is_a_table(plugin: Plugin) -> None:
    """``topics(n_terms)`` gives a DataFrame."""
    import pandas as pd

    topics = _fitted(plugin)[0].topics(3)
    assert isinstance(topics, pd.DataFrame), f"topics must be a DataFrame, got {type(topics).__name__}"
    assert len(topics), "there are no topics"


def check_a_row_a_topic(plugin: Plugin) -> None:
    """``topics`` has as many rows as ``transform`` has columns, and no list of terms longer than asked for."""
    model, sample = _fitted(plugin)
    n_topics = _weights(model, sample).shape[1]
    for n_terms in (1, 3):
        table = model.topics(n_terms)
        assert len(table) == n_topics, f"{n_topics} columns of weights and {len(table)} rows of topics"
        for terms in table.get("terms", ()):
            assert isinstance(terms, str) or len(terms) <= n_terms, f"{len(terms)} terms where {n_terms} were asked for"


def check_strange_texts_get_weights(plugin: Plugin) -> None:
    """Texts that say nothing, or nothing known, get finite weights all the same."""
    import numpy as np

    weights = _weights(_fitted(plugin)[0], STRANGE)
    assert weights.shape[0] == len(STRANGE), f"expected {len(STRANGE)} rows, got {weights.shape[0]}"
    assert np.isfinite(weights).all(), "a weight of a text without known words is not finite"


def check_no_texts_give_no_rows(plugin: Plugin) -> None:
    """No texts at all give an array of no rows."""
    model, sample = _fitted(plugin)
    expected = (0, _weights(model, sample).shape[1])
    got = _weights(model, []).shape
    assert got == expected, f"expected shape {expected}, got {got}"


def check_a_text_is_weighed_the_same_in_any_batch(plugin: Plugin) -> None:
    """A text's weights do not depend on its neighbours or their order."""
    import numpy as np

    model, sample = _fitted(plugin)
    together = _weights(model, sample[:8])
    alone = np.vstack([_weights(model, [text]) for text in sample[:8]])
    assert np.allclose(together, alone, atol=1e-3), "a text's weights depend on the batch"
    assert np.allclose(_weights(model, sample[:8][::-1])[::-1], together, atol=1e-3), "weights depend on the order"


def check_same_seed_same_topics(plugin: Plugin) -> None:
    """Two fits with one seed agree."""
    import numpy as np

    first, second = (_weights(*_fitted(plugin)) for _ in range(2))
    assert np.allclose(first, second), "two fits with one seed differ"


def check_input_forms_give_the_same(plugin: Plugin) -> None:
    """A list, an object array and a Series with any index are one; a missing text counts as empty."""
    import numpy as np
    import pandas as pd

    model, sample = _fitted(plugin)
    expected = _weights(model, [*sample, ""])
    values = np.array([*sample, None], dtype=object)
    for given in (values, pd.Series(values, index=range(len(values), 0, -1))):
        assert np.allclose(_weights(model, given), expected), f"{type(given).__name__} gives other weights than a list"


def check_texts_are_left_alone(plugin: Plugin) -> None:
    """The texts handed in are not changed."""
    sample, _ = texts()
    given = list(sample)
    plugin.make().fit(given).transform(given)
    assert given == sample, "the texts were changed"


CHECKS = (
    check_weights_one_row_a_text,
    check_topics_is_a_table,
    check_a_row_a_topic,
    check_strange_texts_get_weights,
    check_no_texts_give_no_rows,
    check_a_text_is_weighed_the_same_in_any_batch,
    check_same_seed_same_topics,
    check_input_forms_give_the_same,
    check_texts_are_left_alone,
)
