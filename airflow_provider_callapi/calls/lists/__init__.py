"""Lists of people as spreadsheets, data frames and databases write them: bytes and lines become rows.

A list that may be damaged is refused as a whole, before anybody is dialled. This package opens no files.
"""
