"""A campaign's file to begin with."""

EXAMPLE = """\
# A campaign of experiments: `seedo experiment campaign.toml` proposes, you measure.
# Killed at any moment, the same command goes on. `--dry-run` shows how this file is read.
name = "reactor"
player = "pretrained:tuner" # who chooses: `seedo list players`
budget = 20                 # runs in all
batch = 1                   # proposals at once
workers = 1                 # runs measured at once
seed = 0
# first = 5                 # space-filling runs before the player goes by results
# start = ["earlier.csv"]   # earlier rows: columns named as knobs and readings below
# graph = ["temperature -> pressure", "pressure -> yield", "feeds -> yield", "ligand -> yield"]
#                           # what moves what, if it is known; or a file: graph = "graph.dot".
#                           # player = "bayes:mechanisms" makes the most of it

[knobs.temperature]         # any value from low to high
low = 20
high = 90
unit = "°C"
step = 0.5                  # leave it out for any value between
# cost = 0.1                # of moving it from one run to the next

[knobs.feeds]
type = "whole"
low = 1
high = 6

[knobs.ligand]
levels = ["L1", "L2", "L3"] # names without an order; type = "ordered" where there is one

[knobs.stirring]
type = "ordered"
levels = ["slow", "medium", "fast"]

[readings.pressure]         # what is read besides goals; a value outside of low to high is said
unit = "bar"
low = 0
high = 12

[goals.yield]               # "maximize", "minimize" or "target"
aim = "maximize"

# [goals.impurity]          # several goals: a weighted sum, each divided by its scale,
# aim = "minimize"          # or, with pareto = true at the top, all that nothing else beats
# weight = 0.5
# scale = 2.0

[[constraints]]
linear = "temperature + 5 feeds <= 110"

[[constraints]]             # combinations that must not be set
forbid = {ligand = "L3", temperature = "> 80"}

# [[constraints]]           # parts of a mixture (knobs water, oil, soap)
# sum = ["water", "oil", "soap"]
# equals = 1

# [measure]                 # who measures; left out: you are asked
# command = "python rig.py" # the setting as JSON on stdin, readings as JSON on stdout
# python = "lab:run"        # a function of the setting that gives readings
# http = "http://127.0.0.1:8000/run"
# gym = "Pendulum-v1"
# world = "recorded:runs.csv"
# timeout = 60              # seconds; a run that is late has failed
# failures = 5              # so many in a row stop the campaign
# repeat = true             # false: a run whose result was lost is never made twice

# [cost]
# run = 1.0
# budget = 100.0
"""
"""A campaign file with a comment on every setting."""
