"""People who chose interventions: their published files as logs, and what they chose by.

`files` reads files and needs nothing heavy; `choices` weighs each choice exactly.
"""
