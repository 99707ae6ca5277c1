"""Campaigns: experiments on the user's own system, in a loop that survives being killed."""

from seedo.play.campaign._campaign import Campaign, Proposal
from seedo.play.campaign._example import EXAMPLE
from seedo.play.campaign._exchange import proposals_csv, proposals_json, record
from seedo.play.campaign._export import episode, runs_table, write_log, write_runs
from seedo.play.campaign._loop import run_campaign
from seedo.play.campaign._parts import Cost, Measure, Reading, Start
from seedo.play.campaign._person import run_by_hand
from seedo.play.campaign._plan import Plan, plan_of, read_plan
from seedo.play.campaign._runs import Run

__all__ = [
    "EXAMPLE",
    "Campaign",
    "Cost",
    "Measure",
    "Plan",
    "Proposal",
    "Reading",
    "Run",
    "Start",
    "episode",
    "plan_of",
    "proposals_csv",
    "proposals_json",
    "read_plan",
    "record",
    "run_by_hand",
    "run_campaign",
    "runs_table",
    "write_log",
    "write_runs",
]
