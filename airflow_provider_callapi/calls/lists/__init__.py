"""Reads lists of people that spreadsheets, data frames or databases have written, and yields rows.

If a list may be damaged, the whole list is refused before anyone is dialled. This package opens no files.
"""
