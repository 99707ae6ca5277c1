"""Compare: many episodes over a sweep."""

from __future__ import annotations

from fastapi import APIRouter

from understudy.lab._lab import Lab


def router(lab: Lab) -> APIRouter:
    return APIRouter()
