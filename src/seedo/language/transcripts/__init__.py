"""Watched episodes in words: conversations to learn from, and files for others' trainers."""

from seedo.language.transcripts._export import KINDS, Exported, export
from seedo.language.transcripts._rows import FORMS, rows_of
from seedo.language.transcripts._watched import Part, Retold, Turn, Watched

__all__ = ["FORMS", "KINDS", "Exported", "Part", "Retold", "Turn", "Watched", "export", "rows_of"]
