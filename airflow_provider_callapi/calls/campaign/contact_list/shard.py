"""A shard: one of the parts into which a contact list is divided. Each part has its own task."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
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
_NAMED = 8
"""How many shards an error text names."""


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


def refuse_incomplete(shards: Iterable[str | None]) -> None:
    """Check that several tasks call each shard of a list once: ``1/n``, ``2/n``, …, ``n/n``.

    :param shards: the shards of the tasks, in any order, see `read_shard`.
    :raises ValueError: a shard is missing or repeated, the shards have different counts, or a text is no
        shard.
    """
    parts = [read_shard(text) for text in shards]
    if sorted((part.number, part.count) for part in parts) != [
        (number, len(parts)) for number in range(1, len(parts) + 1)
    ]:
        texts = [f"{part.number}/{part.count}" for part in parts]
        named = ", ".join(texts[:_NAMED]) + (" …" if len(texts) > _NAMED else "")
        raise ValueError(
            f"shard: the map indexes of this task call the shards {named} of one list, so people are called "
            'twice or not at all. Map the operator over "1/n", "2/n", … "n/n": each once, with one n'
        )


def own_list(shard: str | None, map_index: int) -> int | None:
    """Return the number of a mapped task's own contact list.

    Each mapped task has its own list, except if the tasks call the shards of one list.

    :param shard: the task's shard, such as ``"2/4"``, see `read_shard`.
    :param map_index: the task's map index, which is the number of its list. -1: the task is not mapped.
    :return: the number. None: the task is not mapped, or calls a shard of a list.
    """
    return map_index if map_index >= 0 and read_shard(shard).count == 1 else None
