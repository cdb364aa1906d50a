"""A shard: one of the parts into which a contact list is divided. Each part has its own task."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts of a contact list.

    :ivar number: the number of this shard; the first shard is 1.
    :ivar count: how many shards the list has. 1: the shard is the whole list.
    """

    number: int
    count: int

    def has_person(self, number: str) -> bool:
        """Return whether the shard contains a person. All rows of a person are in the same shard.

        :param number: the person's phone number or SIP number, which is equal in all rows of the person.
        """
        if self.count == 1:
            return True
        digest = int.from_bytes(hashlib.sha256(number.encode()).digest()[:8])
        return digest % self.count == self.number - 1

    def has_row(self, line: int) -> bool:
        """Return whether a row without a valid phone number belongs to this shard.

        Each such row belongs to one shard, so that only one task reports the row.

        :param line: the position of the row in the contact list.
        """
        return line % self.count == self.number - 1


WHOLE_LIST = Shard(1, 1)


def read_shard(text: str | None) -> Shard:
    """Return which part of the contact list a task calls.

    :param text: a text such as ``"2/4"``, the second of four parts. None or empty: the whole list.
    :raises ValueError: the text has another form, or there is no shard with this number.
    """
    if not text:
        return WHOLE_LIST
    try:
        number, count = (int(part) for part in str(text).split("/"))
    except ValueError:
        number, count = 0, 0
    if not 1 <= number <= count:
        raise ValueError(f'shard: {text!r} is not one of "1/4", "2/4", …')
    return Shard(number, count)


def own_list(shard: str | None, map_index: int) -> int | None:
    """Return the number of a mapped task's own contact list.

    Each mapped task has its own list, except if the tasks call the shards of one list.

    :param shard: the task's shard, such as ``"2/4"``, see `read_shard`.
    :param map_index: the task's map index, which is the number of its list. -1: the task is not mapped.
    :return: the number. None: the task is not mapped, or calls a shard of a list.
    """
    return map_index if map_index >= 0 and read_shard(shard).count == 1 else None
