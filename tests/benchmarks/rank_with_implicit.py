"""Makes lists with the models of the package implicit, in the interpreter that has it, for bench_ranking_peers.

Reads a table of customer, item (numbers) and a list of settings; writes for each setting the first ten items of each
customer, and what was wrong with the lists.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from scipy import sparse

MODELS = {
    "cosine": CosineRecommender,
    "tf-idf": TFIDFRecommender,
    "bm25": BM25Recommender,
    "als": AlternatingLeastSquares,
}


def main(source: str, target: str) -> None:
    """Fit each setting and write its lists as rows of customer, item and rank."""
    asked = json.loads(Path(source).read_text(encoding="utf-8"))
    pairs = np.array(asked["pairs"])
    size = pairs.max(axis=0) + 1
    matrix = sparse.csr_matrix((np.ones(len(pairs), dtype=np.float32), (pairs[:, 0], pairs[:, 1])), shape=size)
    customers = np.unique(pairs[:, 0])
    answers = []
    for name, settings in asked["settings"]:
        seed = {"random_state": 0} if name == "als" else {}
        model = MODELS[name](**settings, **seed, num_threads=1)
        model.fit(matrix, show_progress=False)
        items, scores = model.recommend(customers, matrix[customers], N=10, filter_already_liked_items=True)
        row, place = np.nonzero((items >= 0) & (scores > -1e30))
        item = items[row, place]
        # Items that the customer has are among what is filtered; some versions give them all the same.
        new = np.asarray(matrix[customers[row], item]).ravel() == 0
        answers.append(np.column_stack([customers[row], item, place])[new].tolist())
    Path(target).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
