"""Calls of other systems in their own words, put into ours by a mapping file."""

from fastapi import APIRouter

router = APIRouter()
