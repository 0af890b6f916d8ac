"""What `make bench` measures, section by section: commands, whole and quick, and what they show."""

from dataclasses import dataclass

_WORKERS = "benchmarks.workers"
_QUICK_SHOPS = ("benchmarks.growth.shops", "--rounds", "1", "--window", "2")


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Commands to run one after the other; each may take `seconds` before it is ended."""

    name: str
    title: str
    shows: str
    whole: tuple[tuple[str, ...], ...]
    quick: tuple[tuple[str, ...], ...]
    seconds: float = 600.0


SECTIONS = (
    Section(
        name="workers",
        title="Workers beside their peers",
        shows="One process each on the same queue; all cells are measured by"
        " `python -m benchmarks.workers`. The raw ceiling"
        " keeps no promise and checks nothing.",
        whole=(
            (_WORKERS, "--handlers", "io", "--round-trips", "10", "--window", "3"),
            (
                *(_WORKERS, "--handlers", "postgres", "--round-trips", "10"),
                *("--window", "3", "--rounds", "1"),
            ),
            ("benchmarks.workers.backlog",),
        ),
        quick=((_WORKERS, "--quick", "--rounds", "1"),),
        seconds=900.0,
    ),
    Section(
        name="memory",
        title="Memory, message after message",
        shows="One worker, a million messages in the whole run; a leak shows in its last fifth.",
        whole=(("benchmarks.workers.soak",),),
        quick=(("benchmarks.workers.soak", "--messages", "120000"),),
    ),
    Section(
        name="edge",
        title="The edge, started cold",
        shows="Fresh interpreters on what is shipped, beside a bare handler and apps as they are"
        " usually written; and a notification's signature beside the official SDK, which checks"
        " less.",
        whole=(("benchmarks.edge",), ("benchmarks.edge.signature",)),
        quick=(("benchmarks.edge", "--rounds", "3"), ("benchmarks.edge.signature",)),
    ),
    Section(
        name="identity",
        title="Tokens",
        shows="One access token verified over and over.",
        whole=(("benchmarks.identity",),),
        quick=(("benchmarks.identity", "--rounds", "5", "--count", "400"),),
    ),
    Section(
        name="payments",
        title="Payments",
        shows="A provider call beside the official SDK; a payment's fact with few and with many"
        " charges in the table, beside bare statements that check nothing.",
        whole=(("benchmarks.payments.calls",), ("benchmarks.payments.facts",)),
        quick=(
            ("benchmarks.payments.calls", "--calls", "30", "--rounds", "2"),
            (
                *("benchmarks.payments.facts", "--sizes", "1000", "20000"),
                *("--facts", "200", "--rounds", "3"),
            ),
        ),
    ),
    Section(
        name="orders",
        title="Orders",
        shows="Our overhead over the least that such an API can be; and what reads and the next"
        " order touch as the table grows.",
        whole=(("benchmarks.orders",), ("benchmarks.orders.growth",)),
        quick=(
            ("benchmarks.orders", "--requests", "80", "--rounds", "2"),
            ("benchmarks.orders.growth", "--many", "5000"),
        ),
    ),
    Section(
        name="growth",
        title="Growth: processes and shops",
        shows="Worker processes on one queue; a thousand shops on one queue; one shop with a"
        " backlog beside 999 quiet ones.",
        whole=(
            ("benchmarks.growth.processes",),
            ("benchmarks.growth.shops",),
            ("benchmarks.growth.noisy", "--backlog", "100000", "--quiet", "200"),
        ),
        quick=(
            (
                *("benchmarks.growth.processes", "--counts", "2"),
                *("--rounds", "2", "--window", "1.5"),
            ),
            _QUICK_SHOPS,
            ("benchmarks.growth.noisy", "--backlog", "10000", "--quiet", "40"),
        ),
    ),
    Section(
        name="road",
        title="The road and the screens",
        shows="The whole laptop, from the door to the counter; then clicks on one board while"
        " twenty look on.",
        whole=(("benchmarks.road",),),
        quick=(("benchmarks.road", "--orders", "100", "--clicks", "10"),),
    ),
    Section(
        name="profile",
        title="Where an order's time goes, before and after",
        shows="What py-spy saw running in each process of ours, and the same orders with one mend"
        " of a profile undone at a time.",
        whole=(("benchmarks.profile",),),
        quick=(("benchmarks.profile", "--orders", "100", "--rounds", "1"),),
    ),
)
