"""What every encoder of texts must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.testing.tables import texts

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]


def check_encodes_one_finite_row_a_text(plugin: Plugin) -> None:
    """``encode`` gives an (n_texts, d) array of finite numbers."""
    import numpy as np

    sample, _ = texts()
    vectors = np.asarray(plugin.make().encode(sample))
    assert vectors.ndim == 2, f"expected two dimensions, got {vectors.ndim}"
    assert len(vectors) == len(sample), f"expected {len(sample)} rows, got {len(vectors)}"
    assert np.isfinite(vectors).all(), "a vector holds a value that is not finite"


def check_a_text_is_encoded_the_same_in_any_batch(plugin: Plugin) -> None:
    """A text's vector does not depend on its neighbours."""
    import numpy as np

    sample, _ = texts()
    encoder = plugin.make()
    together, alone = np.asarray(encoder.encode(sample)), np.asarray(encoder.encode(sample[:1]))
    assert np.allclose(together[0], alone[0], atol=1e-5), "a text's vector depends on the batch"


CHECKS = (check_encodes_one_finite_row_a_text, check_a_text_is_encoded_the_same_in_any_batch)
