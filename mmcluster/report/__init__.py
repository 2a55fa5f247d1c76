"""One self-contained page about a result folder."""
from .page import write_report

__all__ = ['write_report']
