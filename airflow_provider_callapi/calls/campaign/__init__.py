"""A campaign: everybody on a list is called once, paced, resumable, accounted for. Pure: no I/O, no clock."""
