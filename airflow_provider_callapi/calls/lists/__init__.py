"""Reads lists of people that spreadsheets, data frames or databases have written.

Each person becomes one row: a mapping from column to value, such as ``{"phone": "79260000011"}``. If a list
may be damaged, the whole list is refused before anyone is dialled. This package opens no files.
"""
