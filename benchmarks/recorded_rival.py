"""BoTorch's qLogNEI on recorded campaigns, for the study `lab-vs-reality`; how fast both choose.

    pip install 'seedo[bo]'
    python benchmarks/recorded_rival.py --data olympus --out studies/lab-vs-reality-full/rivals
    python benchmarks/recorded_rival.py --data olympus --speed 3 --out speed.json

BoTorch as its documentation has it: a SingleTaskGP (MixedSingleTaskGP where knobs have levels) of
outcomes in standard scores, fitted anew before every choice; qLogNoisyExpectedImprovement of all
settings not run yet, one at a time. The same random starts as in the study: five settings, then
twenty chosen ones. One file a run; those that are there are not made again. A run is
{"campaign", "seed", "player", "chosen": settings by number, as the study counts them}, which is all
that the study reads; who has another rival writes such files. With --speed, the tuner is asked at
each of the rival's steps as well, in the same process, and CPU seconds are compared.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import botorch
import numpy as np
import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import MixedSingleTaskGP, SingleTaskGP
from botorch.models.transforms import Standardize
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood

from seedo.episodes import write_atomic
from seedo.experimenters.proposers.tuner import shipped_tuner
from seedo.spaces import Runs
from seedo.studies import CHOSEN, Campaign, read_campaigns

PLAYER = "BoTorch qLogNEI"


def choice(campaign: Campaign, chosen: list[int], values: Any, left: Any, seed: int) -> int:
    """Which of the settings left is chosen, by its place among them."""
    space = campaign.spec.space
    assert space is not None
    levels = [i for i, knob in enumerate(space.knobs) if knob.type == "categorical"]
    numbers = [i for i in range(space.size) if i not in levels]
    x = campaign.settings.copy()
    low, high = x.min(axis=0), x.max(axis=0)
    x[:, numbers] = ((x - low) / np.where(high > low, high - low, 1))[:, numbers]
    tried, y = torch.tensor(x[chosen]), torch.tensor(values)[:, None]
    torch.manual_seed(seed)
    if float(y.std()) == 0:
        return int(np.random.default_rng(seed).integers(len(left)))
    scores = Standardize(1)
    model = (
        MixedSingleTaskGP(tried, y, cat_dims=levels, outcome_transform=scores)
        if levels
        else SingleTaskGP(tried, y, outcome_transform=scores)
    )
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    sampler = SobolQMCNormalSampler(torch.Size([256]), seed=seed)
    gain = qLogNoisyExpectedImprovement(model, X_baseline=tried, sampler=sampler)
    with torch.no_grad():
        worth = torch.cat([gain(part[:, None]) for part in torch.tensor(x[left]).split(256)])
    return int(worth.argmax())


def run(campaign: Campaign, seed: int, beside: bool = False) -> dict[str, Any]:
    """One run, with CPU seconds of each choice; `beside`: the tuner's on the same steps too."""
    spec = campaign.spec
    assert spec.goals is not None
    rng, chosen, readings = campaign.start(seed)
    tuner, spent, spent_beside, failed = shipped_tuner(), [], [], 0
    for step in range(CHOSEN):
        runs = Runs(campaign.settings[chosen], np.array(readings), spec.readings)
        values = runs.values(spec.goals)
        left = np.setdiff1d(np.arange(len(campaign.settings)), chosen)
        start = time.process_time()
        try:
            at = choice(campaign, chosen, values, left, 1000 * seed + step)
        except Exception as error:  # whatever a fit runs into: a setting at random, and counted
            print(f"{campaign.name} {seed} {step}: {error!r}"[:200], flush=True)
            failed += 1
            at = int(np.random.default_rng([seed, step]).integers(len(left)))
        spent.append(time.process_time() - start)
        if beside:
            start = time.process_time()
            none = np.empty((0, campaign.settings.shape[1]))
            tuner.propose(spec, runs, none, CHOSEN - step, np.random.default_rng(step))
            spent_beside.append(time.process_time() - start)
        chosen.append(int(left[at]))
        readings.append(campaign.measure(chosen[-1], rng))
    return {
        "campaign": campaign.name, "seed": seed, "player": PLAYER, "chosen": chosen,
        "botorch": botorch.__version__, "failed_choices": failed, "seconds": spent,
        "tuner_seconds": spent_beside,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="BoTorch on recorded campaigns.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--starts", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", type=int, default=0, help="starts by which speed is compared")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    campaigns = read_campaigns(asked.data)
    if asked.speed:
        found = {c.name: _speed(c, asked.seed, asked.speed) for c in campaigns}
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(asked.out, json.dumps(found, indent=1).encode())
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    for seed in range(asked.seed, asked.seed + asked.starts):
        for campaign in campaigns:
            path = asked.out / f"{campaign.name}-{seed:03d}.json"
            if not path.exists():
                write_atomic(path, json.dumps(run(campaign, seed)).encode())
                print(path.name, flush=True)


def _speed(campaign: Campaign, seed: int, starts: int) -> dict[str, float]:
    """Milliseconds of CPU time a choice, medians, and their ratio."""
    runs = [run(campaign, seed + i, beside=True) for i in range(starts)]
    own, rival = (
        1000 * float(np.median([s for r in runs for s in r[key]]))
        for key in ("tuner_seconds", "seconds")
    )
    print(f"{campaign.name}: tuner {own:.1f} ms, {PLAYER} {rival:.0f} ms: {rival / own:.0f} times")
    return {"tuner_ms": own, "rival_ms": rival, "times": rival / own}


if __name__ == "__main__":
    main()
