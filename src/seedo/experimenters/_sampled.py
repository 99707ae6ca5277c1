"""A Bayesian of bounded means: it thinks of K graphs only, whatever the data.

The K graphs are drawn from the prior, independently and anew at every decision, and weighed by how
well each explains the rows (importance sampling with the prior as proposal; Robert & Casella, Monte
Carlo Statistical Methods, 2004, section 3.3). Weights of the arrows are integrated out in closed
form for each graph, which has a smaller variance than drawing them as well (Rao-Blackwell). The
error falls as 1/sqrt(K) and the arithmetic grows as K: the trade of Vul et al. (2014, "One and
done?", Cognitive Science 38:599) and Lieder & Griffiths (2020, Behavioral and Brain Sciences
43:e1).
Vul's samples come from the posterior at no cost; these have to be paid for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from seedo.errors import whole
from seedo.inference.scores import FamilyTable, Moments, fit_families
from seedo.worlds import sample_dag

MOST_SAMPLES = 65_536
_NAME = re.compile(r"sampled-([0-9]{1,9})")


@dataclass(frozen=True)
class SampledGraphs:
    """Total effects as K graphs from the prior see them, each as much as the rows speak for it.

    Attributes:
        n: number of variables.
        max_parents: largest in-degree with any prior mass; the prior is uniform over such DAGs.
        noise_variance: known variance of every node's noise.
        weight_variance: prior variance of every weight.
        samples: K.
        root_variance: known variance of the noise of nodes without parents, if it is another.
    """

    n: int
    max_parents: int
    noise_variance: float
    weight_variance: float
    samples: int
    root_variance: float | None = None

    def effects(
        self, moments: Moments, goal: Int[Array, ""], key: PRNGKeyArray
    ) -> Float[Array, " n"]:
        """Estimate of E[total effect of each variable on the goal | rows]; 1 at the goal itself.

        Given a graph, the total effect at the posterior-mean weights is exact, as in
        `ExactPosterior.effects`.
        """
        table = self._draw(key)
        families = fit_families(
            moments, table, self.noise_variance, self.weight_variance, self.root_variance
        )
        share = jax.nn.softmax(families.score.sum(0))
        itself = jnp.arange(self.n) == goal

        def lengthen(_: int, effect: Array) -> Array:
            return jnp.einsum("jki,kj->ki", families.weight, effect) + itself

        start = jnp.broadcast_to(itself, (self.samples, self.n)).astype(share.dtype)
        effect = jax.lax.fori_loop(0, self.n - 1, lengthen, start)
        return share @ effect

    def _draw(self, key: PRNGKeyArray) -> FamilyTable:
        """K graphs, as the K families of every node that make them up."""
        keys = jax.random.split(key, self.samples)
        graphs = jax.vmap(lambda k: sample_dag(k, self.n, self.max_parents))(keys)
        member = jnp.transpose(graphs, (2, 0, 1))  # [child, K, parent]
        parents = jnp.sort(jnp.where(member, jnp.arange(self.n), self.n), axis=-1)
        code = member @ (1 << jnp.arange(self.n))
        return FamilyTable(parents[..., : self.max_parents], member, code)  # type: ignore[arg-type]


def samples_of(name: str) -> int | None:
    """K of the name `sampled-K`; None for other names.

    Raises:
        UserError: K is not from 1 to `MOST_SAMPLES`.
    """
    if (found := _NAME.fullmatch(name)) is None:
        return None
    samples = int(found[1])
    whole("bayes:sampled", samples, 1, MOST_SAMPLES)
    return samples
