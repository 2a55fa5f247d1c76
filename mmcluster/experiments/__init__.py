"""Tables and figures of papers as files: what each cell runs, how far it is, and the table beside the paper's."""
from .rows import cross
from .table import Cell, Table, read_table, table_file, table_names

__all__ = ['Cell', 'Table', 'cross', 'read_table', 'table_file', 'table_names']
