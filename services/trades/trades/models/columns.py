"""What the tables have in common."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Text, Uuid

metadata = MetaData()


def id_column(name: str, *, key: bool = False, null: bool = False) -> Column[Any]:
    """A UUID, as text in Python."""
    return Column(name, Uuid(as_uuid=False), primary_key=key, nullable=null)


def time_column(name: str, *, null: bool = False) -> Column[Any]:
    """An instant."""
    return Column(name, DateTime(timezone=True), nullable=null)


def word(name: str, *, null: bool = False) -> Column[Any]:
    """A text."""
    return Column(name, Text, nullable=null)


def minor(name: str, *, null: bool = False) -> Column[Any]:
    """An amount in minor units."""
    return Column(name, BigInteger, nullable=null)
