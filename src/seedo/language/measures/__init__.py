"""What is made of experiments: reading, recitation, self-correction."""

from seedo.language.measures._reading import information, read_by_speaker, reading_scene
from seedo.language.measures._recitation import Arm, Recitation, recitation, recitation_of
from seedo.language.measures._self_correction import (
    NOTES,
    Claim,
    Pursuit,
    SelfCorrectionScene,
    claim_in_words,
    compare_arms,
    effect_table,
    horizon_world,
    last_turns,
    pursuit,
    read_effects,
    self_correct,
    signs_right,
    write_effects,
)

__all__ = [
    "NOTES",
    "Arm",
    "Claim",
    "Pursuit",
    "Recitation",
    "SelfCorrectionScene",
    "claim_in_words",
    "compare_arms",
    "effect_table",
    "horizon_world",
    "information",
    "last_turns",
    "pursuit",
    "read_by_speaker",
    "read_effects",
    "reading_scene",
    "recitation",
    "recitation_of",
    "self_correct",
    "signs_right",
    "write_effects",
]
