"""What is written before anything is sent, and all private events, in one gap-free sequence."""

from .opening import journal_path, open_journal
from .port import Durability, Journal, MemoryJournal, OrderHistory

__all__ = [
    "Durability",
    "Journal",
    "MemoryJournal",
    "OrderHistory",
    "journal_path",
    "open_journal",
]
