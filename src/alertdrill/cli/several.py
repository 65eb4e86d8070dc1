"""How several drills are to be run, as the command line says it: `--jobs`, `--shard`, `--fail-fast`."""

from collections.abc import Iterator
from dataclasses import dataclass

from alertdrill.adapters.cpus import usable_cpus
from alertdrill.compose.chosen import Chosen
from alertdrill.compose.options import Options
from alertdrill.core.disturbance import shared
from alertdrill.core.errors import BadInput, BadValue, Mistake
from alertdrill.core.shards import Shard

AUTO = "auto"
CPUS_A_DRILL = 2
"""A drill is load, proxies, monitor, model and Prometheus: with less, its own sends come late and it cannot tell."""


@dataclass(frozen=True)
class Several:
    """What was asked for, as it was written.

    Attributes:
        jobs: how many drills at the same time: a number, or `auto`.
        shard: `K/N`, the share of the scenarios to run; None: all.
        fail_fast: whether the first drill that does not pass ends all.
    """

    jobs: str = "1"
    shard: str | None = None
    fail_fast: bool = False

    def read_shard(self) -> Shard | None:
        """The share.

        Raises:
            BadInput: it is none.
        """
        try:
            return None if self.shard is None else Shard.parse(self.shard)
        except BadValue as error:
            raise BadInput([Mistake("--shard", error.got or self.shard or "", error.expected, error.fix)]) from None

    def mistakes(self, drills: tuple[Chosen, ...], options: Options, repeat: int) -> Iterator[Mistake]:
        """Why drills cannot be run so."""
        if self.jobs == AUTO or self.jobs == "1":
            return
        if not self.jobs.isdecimal() or len(self.jobs) > 6 or int(self.jobs) < 1:
            yield Mistake("--jobs", self.jobs, "auto, or how many drills at the same time, from 1", "write --jobs auto")
            return
        if repeat > 1:
            expected = "one drill after the other, as those of a series are"
            yield Mistake("--jobs", f"{self.jobs} beside --repeat", expected, "leave --jobs or --repeat out")
        if options.distributed is not None:
            expected = "one drill, which workers on other machines can join"
            yield Mistake("--jobs", f"{self.jobs} beside --distributed", expected, "leave --jobs or --distributed out")
        for what in shared(one.scenario for one in drills):
            got = f"{self.jobs} drills at the same time, of which several use {what}"
            expected = "drills that do not meet there, as the faults of one would be taken for those of another"
            yield Mistake("--jobs", got, expected, "leave --jobs out: they run one after the other")

    def at_once(self, drills: tuple[Chosen, ...], options: Options, repeat: int) -> int:
        """How many drills run at the same time; `auto` is 1 where they would disturb one another."""
        if self.jobs != AUTO:
            wanted = int(self.jobs)
        elif repeat > 1 or options.distributed is not None or shared(one.scenario for one in drills):
            wanted = 1
        else:
            wanted = max(1, usable_cpus() // CPUS_A_DRILL)
        return min(wanted, max(1, len(drills)))


ONE_AFTER_ANOTHER = Several()
