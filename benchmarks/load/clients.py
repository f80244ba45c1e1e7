"""Clients that write and read, and see whether what they get is theirs, and all of it."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.load.doors import Answer, Door, RefusedError
from benchmarks.synthetic import ASKED_WORDS

MIX = {"remember": 40, "recall": 30, "context": 15, "history": 14, "forget": 1}
"""Verbs, and how many of a hundred requests are theirs; chosen."""


@dataclass(slots=True)
class Seen:
    """What a client has seen.

    Attributes:
        times_ms: Of each verb, how long its answers took.
        errors: Names of errors, and how often they came.
        acknowledged: Turns that were stored, as the server said.
        lost: Turns among them that were not there afterwards, byte for byte, though nobody forgot
            them, or that were there though forgotten.
        crossed: Answers with something of another user.
    """

    times_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    lost: int = 0
    crossed: int = 0


class Client:
    """One of many: it waits for each answer, and asks again at once.

    Args:
        door: To the memory of its user.
        mark: A word that every text of its user has, and nobody else's.
        others: The words of the other users.
        session: Its own session of the user.
        stock: Sentences that it writes.
        seed: Seed of what it does.
    """

    def __init__(
        self,
        door: Door,
        mark: str,
        others: Sequence[str],
        session: str,
        stock: list[str],
        seed: int,
    ) -> None:
        self.seen = Seen()
        self._door, self._mark, self._others = door, mark, others
        self._session, self._stock = session, stock
        self._random = random.Random(seed)
        self._turns: dict[int, str] = {}
        self._forgotten: set[int] = set()
        self._unsure: set[int] = set()  # what an error left open

    def run(self, until: float) -> None:
        """Ask until a time on the monotonic clock."""
        while time.monotonic() < until:
            [verb] = self._random.choices([*MIX], [*MIX.values()])
            if verb == "forget" and not self._turns:
                continue
            self._do(verb)

    def check(self) -> None:
        """Read everything, and count what is lost."""
        found = dict(self._door.everything(self._session).turns)
        kept = {id: text for id, text in self._turns.items() if id not in self._unsure}
        self.seen.lost += sum(found.get(id) != text for id, text in kept.items())
        self.seen.lost += len(self._forgotten & found.keys())
        self._door.close()

    def _do(self, verb: str) -> None:
        begun = time.perf_counter()
        try:
            answer = self._ask(verb)
        except Exception as error:
            name = str(error) if isinstance(error, RefusedError) else type(error).__name__
            self.seen.errors[f"{verb}: {name}"] += 1
            return
        self.seen.times_ms[verb].append(1000 * (time.perf_counter() - begun))
        self.seen.crossed += any(mark in answer.whole for mark in self._others)

    def _ask(self, verb: str) -> Answer:
        match verb:
            case "remember":
                text = f"{self._mark}: {' '.join(self._random.choices(self._stock, k=2))}"
                answer = self._door.remember(self._session, text)
                [(id, _)] = answer.turns
                self._turns[id] = text
                self.seen.acknowledged += 1
                return answer
            case "forget":
                gone = self._random.choice([*self._turns])
                del self._turns[gone]
                answer = self._door.forget(gone)
                self._forgotten.add(gone)
                return answer
            case "history":
                return self._door.history(self._session)
            case "recall":
                return self._door.recall(self._question())
            case _:
                return self._door.context(self._question())

    def _question(self) -> str:
        words = self._random.choice([*self._turns.values()] or self._stock).split()[1:]
        start = self._random.randrange(max(1, len(words) - ASKED_WORDS))
        return " ".join(words[start : start + ASKED_WORDS])


def run_all(
    clients: Sequence[Client], seconds: float, advance: Callable[[str, int], None]
) -> tuple[Seen, float]:
    """Let clients ask for a time, each in a thread, and then check what is there.

    Returns:
        What they saw together, and how many seconds passed until the last answer.
    """
    begun = time.monotonic()
    threads = [
        threading.Thread(target=client.run, args=(begun + seconds,), daemon=True)
        for client in clients
    ]
    for thread in threads:
        thread.start()
    while (left := begun + seconds - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        advance("asked", 1)
    for thread in threads:
        thread.join()
    passed = time.monotonic() - begun
    whole = Seen()
    for client in clients:
        client.check()
        advance("checked", 1)
        for verb, times in client.seen.times_ms.items():
            whole.times_ms[verb] += times
        whole.errors += client.seen.errors
        whole.acknowledged += client.seen.acknowledged
        whole.lost += client.seen.lost
        whole.crossed += client.seen.crossed
    return whole, passed
