"""What every encoder of texts must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.core.checks import require_methods
from crmkit.testing.tables import texts

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]

_STRANGE = ("", " \n\u3000", "😀🙏", "ｒｅｆｕｎｄ 退款 now", "<b>Refund</b> me…", "Não recebi o cartão", "x" * 20_000)


def _ready(plugin: Plugin) -> Any:
    """Make an encoder and fit it on the sample where it learns."""
    encoder = plugin.make()
    return encoder.fit(texts()[0]) if callable(getattr(encoder, "fit", None)) else encoder


def check_has_the_method(plugin: Plugin) -> None:
    """It encodes."""
    require_methods(plugin.make(), ["encode"], role="an encoder")


def check_fit_returns_the_encoder(plugin: Plugin) -> None:
    """Where it learns, ``fit`` takes texts alone and returns the encoder itself."""
    encoder = plugin.make()
    if callable(getattr(encoder, "fit", None)):
        assert encoder.fit(texts()[0]) is encoder, "fit must return self"


def check_encodes_one_finite_row_a_text(plugin: Plugin) -> None:
    """``encode`` gives an (n_texts, d) array of finite numbers."""
    import numpy as np

    sample, _ = texts()
    vectors = np.asarray(_ready(plugin).encode(sample))
    assert vectors.ndim == 2, f"expected two dimensions, got {vectors.ndim}"
    assert len(vectors) == len(sample), f"expected {len(sample)} rows, got {len(vectors)}"
    assert vectors.shape[1] > 0, "the vectors have no dimension"
    assert vectors.dtype.kind == "f", f"expected numbers with a fraction, got {vectors.dtype}"
    assert np.isfinite(vectors).all(), "a vector holds a value that is not finite"


def check_a_text_is_encoded_the_same_in_any_batch(plugin: Plugin) -> None:
    """A text's vector does not depend on its neighbours or their order."""
    import numpy as np

    sample, _ = texts()
    encoder = _ready(plugin)
    together, alone = np.asarray(encoder.encode(sample)), np.asarray(encoder.encode(sample[:1]))
    assert np.allclose(together[0], alone[0], atol=1e-5), "a text's vector depends on the batch"
    backwards = np.asarray(encoder.encode(sample[::-1]))
    assert np.allclose(together[::-1], backwards, atol=1e-5), "a text's vector depends on the order of the texts"


def check_empty_and_strange_texts_have_vectors(plugin: Plugin) -> None:
    """Empty texts, emoji, full-width letters, mark-up, other languages and a long text give finite rows."""
    import numpy as np

    encoder = _ready(plugin)
    vectors = np.asarray(encoder.encode(list(_STRANGE)))
    width = np.asarray(encoder.encode(texts()[0][:1])).shape[1]
    assert vectors.shape == (len(_STRANGE), width), f"expected {(len(_STRANGE), width)}, got {vectors.shape}"
    assert np.isfinite(vectors).all(), "a vector of a strange text holds a value that is not finite"


def check_different_texts_have_different_vectors(plugin: Plugin) -> None:
    """Not all texts are encoded alike."""
    import numpy as np

    vectors = np.asarray(_ready(plugin).encode(texts()[0][:4]))
    assert not np.allclose(vectors, vectors[:1], atol=1e-6), "texts about different things have the same vector"


def check_the_same_seed_gives_the_same_vectors(plugin: Plugin) -> None:
    """Two encoders of the same parameters agree on the same texts."""
    import numpy as np

    sample, _ = texts()
    first, second = (np.asarray(_ready(plugin).encode(sample)) for _ in range(2))
    assert np.allclose(first, second, atol=1e-5), "two encoders of the same parameters differ"


def check_encoding_changes_nothing(plugin: Plugin) -> None:
    """The list of texts is left alone, and asking twice gives the same."""
    import numpy as np

    sample, _ = texts()
    copy = list(sample)
    encoder = _ready(plugin)
    first, second = np.asarray(encoder.encode(sample)), np.asarray(encoder.encode(sample))
    assert sample == copy, "encode changed the list it was given"
    assert np.allclose(first, second, atol=1e-6), "asked twice, it gives two answers"


def check_clones_with_its_parameters(plugin: Plugin) -> None:
    """Where it has parameters in scikit-learn's manner, a clone has the same, unfitted."""
    encoder = plugin.make()
    if not callable(getattr(encoder, "get_params", None)):
        return
    from sklearn.base import clone

    twin: Any = clone(encoder)
    assert repr(twin.get_params()) == repr(encoder.get_params()), "a clone has other parameters"


def check_an_encoder_that_is_not_fitted_says_so(plugin: Plugin) -> None:
    """Where it learns, ``encode`` before ``fit`` ends in an error that says so."""
    encoder = plugin.make()
    if not callable(getattr(encoder, "fit", None)):
        return
    from sklearn.exceptions import NotFittedError

    try:
        encoder.encode(texts()[0][:1])
    except NotFittedError:
        return
    except Exception as error:
        raise AssertionError(f"expected NotFittedError, got {type(error).__name__}") from error
    raise AssertionError("encode before fit must raise NotFittedError")


def check_a_classifier_learns_from_it(plugin: Plugin) -> None:
    """As ``features=`` of a text classifier, it tells two plain topics apart better than chance."""
    from crmkit.core.registry import create

    sample, labels = texts()
    model = create("classifier", "text-svm", features=plugin.make(), random_state=0).fit(sample, labels)
    assert model.score(sample, labels) > 0.6, "a classifier learned nothing from its vectors"


CHECKS = (
    check_has_the_method,
    check_fit_returns_the_encoder,
    check_encodes_one_finite_row_a_text,
    check_a_text_is_encoded_the_same_in_any_batch,
    check_empty_and_strange_texts_have_vectors,
    check_different_texts_have_different_vectors,
    check_the_same_seed_gives_the_same_vectors,
    check_encoding_changes_nothing,
    check_clones_with_its_parameters,
    check_an_encoder_that_is_not_fitted_says_so,
    check_a_classifier_learns_from_it,
)
