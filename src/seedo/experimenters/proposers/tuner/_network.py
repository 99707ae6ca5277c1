"""The tuner's network: from the runs so far to how good each further setting looks.

Heads are kernel regressions (Matérn 5/2) over knobs. Their scales are no parameters: small networks
read them from the history in a few rounds, from the slopes of the marginal likelihood (as a learnt
optimiser does) and from what each knob is; another says how far each head is to be trusted. The
promise of a setting is the log expected improvement that trusted heads see there. Nothing depends
on the order of knobs, runs or settings, nor on any unit.

Written for NumPy and JAX alike: `xp` is `numpy` or `jax.numpy`, `sp` the module `special` of scipy
or of `jax.scipy`. Learning compiles it; playing runs it in NumPy, which has nothing to compile.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

HEADS, ROUNDS = 4, 2
NAMING, HIDDEN = 8, 24
"""Sizes: of what tells heads apart, of networks over knobs."""
_KNOB = 12
_HEAD = 14
_JITTER = 1e-4

Weights = dict[str, Any]
"""Arrays by name: a pytree."""


class Question(NamedTuple):
    """H runs and M further settings of D knobs; one question, without batch axes.

    Attributes:
        tried: f32[H, D], settings from 0 to 1 along the range of each knob.
        tried_rank: f32[H, D], each value's rank among all settings, from 0 to 1.
        outcome: f32[H], to be raised.
        known: f32[H], 1 where there is a run, 0 where padding.
        further, further_rank: f32[M, D], the same of the settings to judge.
        kind: i32[D]: numeric, stepped or categorical, as in `worlds.surfaces`.
        live: f32[D], 1 where there is a knob, 0 where padding.
        mixture: f32[], 1 where values are shares that sum to one.
        sharpness: f32[]: how much more great gains count than small ones; see `lessons`.
    """

    tried: Any
    tried_rank: Any
    outcome: Any
    known: Any
    further: Any
    further_rank: Any
    kind: Any
    live: Any
    mixture: Any
    sharpness: Any


def initial(rng: np.random.Generator) -> Weights:
    """Weights to begin with, f32."""
    w: Weights = {
        "naming": rng.normal(size=(HEADS, NAMING)),
        "scales": np.stack([np.linspace(-1.5, 2.0, HEADS), np.linspace(0.0, -3.0, HEADS)], axis=1),
        "noises": np.array([-4.5, -2.0, -3.5, -2.5]),
        "rates": np.full((ROUNDS, 3), 0.3),
        "trust": np.array([0.25, 0.25]),
        "improvement": np.array([1.0, 1.0]),
    }

    def layer(name: str, inputs: int, outputs: int, gain: float = 1.4) -> None:
        w[f"{name}.w"] = rng.normal(size=(inputs, outputs)) * gain / np.sqrt(inputs)
        w[f"{name}.b"] = np.zeros(outputs)

    for t in range(ROUNDS):
        layer(f"knob{t}", _KNOB + _HEAD + NAMING, HIDDEN)
        layer(f"scale{t}a", 2 * HIDDEN, HIDDEN)
        layer(f"scale{t}b", HIDDEN, 2, 0.05)
        layer(f"noise{t}a", HIDDEN + _HEAD + NAMING, HIDDEN)
        layer(f"noise{t}b", HIDDEN, 1, 0.05)
    layer("contexta", _HEAD + NAMING + HIDDEN, 48)
    layer("contextb", 48, 1, 1.0)
    return {name: np.asarray(value, np.float32) for name, value in w.items()}


def promise(w: Weights, q: Question, xp: Any, sp: Any) -> Any:
    """How good each further setting looks, f32[M]: logits of an expert's choice among them."""
    return promise_and_forecast(w, q, xp, sp)[0]


class Forecast(NamedTuple):
    """What each head expects of M settings, in standard scores of the outcomes so far.

    Attributes:
        trust: f32[B], in each of the heads; they sum to 1.
        mean, variance: f32[B, M], of what would be read there.
    """

    trust: Any
    mean: Any
    variance: Any


class Outlook(NamedTuple):
    """What each head says of the mean of M settings, in standard scores of the outcomes so far and
    in normal scores of their ranks (see `normalised`).

    Attributes:
        trust: f32[B], in each of the heads; they sum to 1.
        mean, unsure: f32[B, M, 2], expectation and its standard deviation.
    """

    trust: Any
    mean: Any
    unsure: Any


def promise_and_forecast(w: Weights, q: Question, xp: Any, sp: Any) -> tuple[Any, Forecast]:
    """`promise`, and what it rests on."""
    outlook, improvement, noise = _judged(w, q, xp, sp)
    logits = xp.tensordot(outlook.trust, improvement, 1) @ w["improvement"]
    variance = outlook.unsure[..., 0] ** 2 + noise[:, None]
    return q.sharpness**0.5 * logits, Forecast(outlook.trust, outlook.mean[..., 0], variance)


def outlook(w: Weights, q: Question, xp: Any, sp: Any) -> Outlook:
    """What the network makes of further settings before it weighs them."""
    return _judged(w, q, xp, sp)[0]


def _judged(w: Weights, q: Question, xp: Any, sp: Any) -> tuple[Outlook, Any, Any]:
    """The outlook, log expected improvement f32[B, M, 2], and noise f32[B], a variance."""
    near, knobs, facts, y = _history(q, xp, sp)
    scales, noises, pool = _scaled(w, q, near, knobs, facts, y, xp)
    fit = _fitted(near, y, q.known, scales, noises, xp)
    about = _about_heads(fit, _noise_slopes(fit), scales, noises, q, facts, xp)
    context = xp.concatenate([about, w["naming"], pool], axis=-1)
    context = _dense(w, "contextb", _relu(_dense(w, "contexta", context), xp))[:, 0]
    evidence = xp.stack([fit["evidence"].mean(-1), fit["left_out"].mean(-1)], axis=-1)
    trust = _softmax(0.2 * context + q.known.sum() * (evidence @ w["trust"]), xp)
    mean, unsure, improvement = _predicted(q, fit, scales, y, xp, sp)
    return Outlook(trust, mean, unsure), improvement, fit["noise"] * fit["variance"][:, 0]


def surprise(forecast: Forecast, scores: Any, xp: Any) -> Any:
    """Minus log density of what settings read, f32[M], in standard scores of the outcomes so far:
    of a mixture of t distributions with 4 degrees of freedom, which forgive outliers."""
    scale = xp.sqrt(forecast.variance / 2)  # their variance is twice the square of their scale
    z = (scores - forecast.mean) / scale
    density = np.log(0.375) - 2.5 * xp.log1p(z * z / 4) - xp.log(scale)
    density = density + xp.log(forecast.trust + 1e-12)[:, None]  # trust may vanish
    top = density.max(0)
    return -top - xp.log(xp.exp(density - top).sum(0))


def normalised(outcome: Any, known: Any, xp: Any, sp: Any) -> Any:
    """Outcomes f32[H] as standard scores and as normal scores of their ranks, f32[H, 2]."""
    n = known.sum()
    mean = (outcome * known).sum() / n
    spread = xp.sqrt(((outcome - mean) ** 2 * known).sum() / n)
    score = (outcome - mean) / (spread + 1e-6 * xp.abs(mean) + 1e-30) * known
    below = (outcome[None, :] < outcome[:, None]).astype(known.dtype)
    ties = (outcome[None, :] == outcome[:, None]).astype(known.dtype)
    rank = ((below + 0.5 * ties) * known).sum(1) / n
    rank = sp.ndtri(xp.clip(rank, 0.01, 0.99)) * known
    return xp.stack([score, rank / (xp.sqrt((rank**2).sum() / n) + 1e-6)], axis=-1)


def _history(q: Question, xp: Any, sp: Any) -> tuple[Any, Any, Any, Any]:
    """Distances of runs f32[H, H, D, 2], about knobs f32[D, 6], facts f32[6], outcomes."""
    y = normalised(q.outcome, q.known, xp, sp)
    near = _distances(q, xp)
    n, d = q.known.sum(), q.live.sum()
    weight = q.known[:, None] / n
    mean = (q.tried * weight).sum(0)
    spread = xp.sqrt(xp.maximum(((q.tried - mean) ** 2 * weight).sum(0), 0))
    same = (xp.abs(q.tried[:, None] - q.tried[None]) < 1e-6) * (weight[:, None] * weight[None])
    knobs = xp.stack(
        [
            (q.kind == 2).astype(y.dtype),
            (q.kind == 1).astype(y.dtype),
            xp.ones_like(spread) * q.mixture,
            3 * spread,
            3 * q.further.std(0),
            same.sum((0, 1)),
        ],
        axis=-1,
    )
    facts = xp.stack([
        xp.log(n) - 2, xp.log(d) - 1.4, xp.log(q.sharpness) - 1,
        xp.clip((y[:, 0] ** 3).sum() / n, -3, 3), y[:, 0].max() - 2, q.mixture,
    ])  # fmt: skip
    return near, knobs, facts, y


def _distances(q: Question, xp: Any) -> Any:
    """Of runs from runs, by knob, along the range and among ranks: f32[H, H, D, 2]."""
    by_value = q.tried[:, None] - q.tried[None]
    by_rank = q.tried_rank[:, None] - q.tried_rank[None]
    other = (xp.abs(by_value) > 1e-6).astype(by_value.dtype)
    level = q.kind == 2
    far = [xp.where(level, other, by_value**2), xp.where(level, other, by_rank**2)]
    return xp.stack(far, axis=-1) * q.live[:, None]


def _scaled(
    w: Weights, q: Question, near: Any, knobs: Any, facts: Any, y: Any, xp: Any
) -> tuple[Any, Any, Any]:
    """Log scales of knobs f32[B, D, 2], log noises f32[B], what was seen of knobs f32[B, 24]."""
    d = q.live.sum()
    shape = (HEADS, len(q.live), 2)
    scales = xp.broadcast_to(w["scales"][:, None, :] - 0.5 * xp.log(d), shape)
    noises = w["noises"]
    pool = None
    for t in range(ROUNDS):
        fit = _fitted(near, y, q.known, scales, noises, xp)
        by_scale, by_noise = _scale_slopes(fit, near, scales, xp), _noise_slopes(fit)
        about = _about_heads(fit, by_noise, scales, noises, q, facts, xp)
        head = xp.concatenate([about, w["naming"]], axis=-1)
        seen = [
            scales / 2,
            xp.arcsinh(by_scale.reshape(*shape[:2], 4)),
            xp.broadcast_to(knobs, (*shape[:2], 6)),
            xp.broadcast_to(head[:, None], (*shape[:2], head.shape[-1])),
        ]
        h = _relu(_dense(w, f"knob{t}", xp.concatenate(seen, axis=-1)), xp)
        pool = (h * q.live[:, None]).sum(1) / d
        pair = xp.concatenate([h, xp.broadcast_to(pool[:, None], h.shape)], axis=-1)
        move = _dense(w, f"scale{t}b", _relu(_dense(w, f"scale{t}a", pair), xp))
        climb = w["rates"][t, :2] * xp.arcsinh(by_scale).mean(-1)
        scales = xp.clip(scales + climb + move, -7, 7)
        pair = xp.concatenate([pool, head], axis=-1)
        move = _dense(w, f"noise{t}b", _relu(_dense(w, f"noise{t}a", pair), xp))[:, 0]
        climb = w["rates"][t, 2] * xp.arcsinh(by_noise).mean(-1)
        noises = xp.clip(noises + climb + move, -8, 1.5)
    return scales, noises, pool


def _kernel(far: Any, xp: Any) -> tuple[Any, Any]:
    """Matérn 5/2 of squared distances, and its slope in them."""
    r = xp.sqrt(5 * far + 1e-8)
    e = xp.exp(-r)
    return (1 + r + r * r / 3) * e, -(5 / 6) * (1 + r) * e


def _far(near: Any, scales: Any, xp: Any) -> Any:
    """Squared distances of every head, f32[B, H, M]."""
    h, m = near.shape[:2]
    far = near.reshape(h * m, -1) @ xp.exp(scales).reshape(len(scales), -1).T
    return xp.moveaxis(far.reshape(h, m, -1), -1, 0)


def _far_further(q: Question, scales: Any, xp: Any) -> Any:
    """Squared distances of every head from runs to further settings, f32[B, H, M]."""
    level = q.kind == 2
    weights = xp.exp(scales) * q.live[:, None]
    root = xp.exp(0.5 * scales) * q.live[:, None]  # no square root: at 0 it has no slope
    root = xp.where(level[:, None], 0.0, root).astype(scales.dtype)
    root = xp.swapaxes(root, 1, 2).reshape(HEADS, 1, -1)
    tried = root * (xp.concatenate([q.tried, q.tried_rank], axis=1) - 0.5)
    further = root * (xp.concatenate([q.further, q.further_rank], axis=1) - 0.5)
    far = (tried**2).sum(-1)[:, :, None] + (further**2).sum(-1)[:, None]
    far = xp.maximum(far - 2 * tried @ xp.swapaxes(further, 1, 2), 0)
    # NumPy looks at the knobs with levels alone; what is compiled has to look at all.
    some = np.flatnonzero(level) if xp is np else np.arange(len(q.live))
    if len(some):
        other = xp.abs(q.tried[:, None, some] - q.further[None, :, some]) > 1e-6
        by = xp.where(level[:, None], weights, 0.0)[:, some].sum(-1).astype(scales.dtype)
        far = far + xp.moveaxis(other.astype(scales.dtype) @ by.T, -1, 0)
    return far


def _fitted(near: Any, y: Any, known: Any, scales: Any, noises: Any, xp: Any) -> dict[str, Any]:
    """Kernel regressions of every head on both outcomes, with a constant (universal kriging)."""
    n, h = known.sum(), len(known)
    kernel, slope = _kernel(_far(near, scales, xp), xp)
    both = known[:, None] * known[None]
    noise = xp.exp(noises)
    own = xp.where(known > 0, noise[:, None] + _JITTER, 1.0)
    root = xp.linalg.cholesky(kernel * both + xp.eye(h, dtype=y.dtype) * own[:, None])
    half = xp.linalg.inv(root)
    inverse = xp.swapaxes(half, 1, 2) @ half
    ones = inverse @ known
    total = (ones * known).sum(-1)
    solved = inverse @ y
    constant = (known @ solved) / total[:, None]
    weights = solved - ones[..., None] * constant[:, None]
    variance = xp.maximum((weights * y).sum(1) / n, 1e-4)
    logdet = xp.log(xp.diagonal(root, axis1=1, axis2=2)).sum(-1)
    own = xp.diagonal(inverse, axis1=1, axis2=2)
    error = weights / own[..., None]
    surprise = error**2 * own[..., None] / variance[:, None]
    surprise = surprise + xp.log(variance[:, None] / own[..., None])
    return {
        "known": known,
        "kernel": kernel * both,
        "slope": slope * both,
        "noise": noise,
        "inverse": inverse,
        "own": own,
        "ones": ones,
        "total": total,
        "constant": constant,
        "weights": weights,
        "variance": variance,
        "error": error,
        "evidence": -0.5 * xp.log(variance) - logdet[:, None] / n,
        "left_out": -0.5 * (surprise * known[:, None]).sum(1) / n,
    }


def _scale_slopes(fit: dict[str, Any], near: Any, scales: Any, xp: Any) -> Any:
    """Of the log marginal likelihood of both outcomes in log scales, f32[B, D, 2, 2]."""
    left = xp.swapaxes(fit["weights"] / fit["variance"][:, None], 1, 2)  # [B, 2, H]
    right = xp.swapaxes(fit["weights"], 1, 2)
    both = left[..., :, None] * right[..., None, :] - fit["inverse"][:, None]
    both = 0.5 * both * fit["slope"][:, None]
    h = near.shape[0]
    slopes = both.reshape(-1, h * h) @ near.reshape(h * h, -1)
    slopes = slopes.reshape(HEADS, 2, *near.shape[2:]) * xp.exp(scales)[:, None]
    return xp.moveaxis(slopes, 1, -1)


def _noise_slopes(fit: dict[str, Any]) -> Any:
    """The same in log noises, f32[B, 2]."""
    fits = (fit["weights"] ** 2).sum(1) / fit["variance"]
    trace = (fit["own"] * fit["known"]).sum(-1)
    return 0.5 * (fits - trace[:, None]) * fit["noise"][:, None]


def _about_heads(
    fit: dict[str, Any], slopes: Any, scales: Any, noises: Any, q: Question, facts: Any, xp: Any
) -> Any:
    wide = (scales * q.live[:, None]).sum((1, 2)) / q.live.sum() / 4
    parts = [fit["evidence"], fit["left_out"], xp.arcsinh(slopes), noises[:, None] / 2 + 2]
    return xp.concatenate(
        [*parts, wide[:, None], xp.broadcast_to(facts, (HEADS, len(facts)))], axis=-1
    )


def _predicted(
    q: Question, fit: dict[str, Any], scales: Any, y: Any, xp: Any, sp: Any
) -> tuple[Any, Any, Any]:
    """What heads say of M settings, f32[B, M, 2] each, of standard and of normal scores of the
    outcome: expectation, its standard deviation, log expected improvement on the best so far."""
    kernel = _kernel(_far_further(q, scales, xp), xp)[0] * q.known[:, None]
    across = xp.swapaxes(kernel, 1, 2)
    mean = across @ fit["weights"] + fit["constant"][:, None]
    told = (kernel * (fit["inverse"] @ kernel)).sum(1)
    loose = (1 - (across @ fit["ones"][..., None])[..., 0]) ** 2 / fit["total"][:, None]
    unsure = xp.sqrt(xp.maximum(1 - told + loose, 1e-4))[..., None]
    unsure = unsure * xp.sqrt(fit["variance"])[:, None]
    there = q.known[:, None] > 0
    made = fit["kernel"] @ fit["weights"] + fit["constant"][:, None]
    made = xp.where(there, made, -9.0).max(1)
    best = 0.5 * made + 0.5 * xp.where(there, y, -9.0).max(0)
    t = xp.clip((mean - best[:, None]) / unsure, -6, 6)
    density = xp.exp(-0.5 * t * t) * 0.3989423
    improvement = xp.log(unsure * (density + t * sp.ndtr(t)) + 1e-6)
    return mean, unsure, improvement


def _dense(w: Weights, name: str, x: Any) -> Any:
    return x @ w[f"{name}.w"] + w[f"{name}.b"]


def _relu(x: Any, xp: Any) -> Any:
    return xp.maximum(x, 0)


def _softmax(x: Any, xp: Any) -> Any:
    e = xp.exp(x - x.max())
    return e / e.sum()
