"""Permits lent to many processes: as said by two machines that never meet but in messages."""

from __future__ import annotations

import heapq
from collections import Counter
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.cost import FREE
from eyeline.core.ratelimits import Allowance, Allowances
from eyeline.errors import BudgetExceeded
from eyeline.policy.leases import (
    LOOK_S_MAX,
    LOOK_S_MIN,
    PERMIT_S,
    SILENT_S,
    Grant,
    LeaseLost,
    Lessor,
    Tenant,
    budget_from,
)
from eyeline.policy.limits import IN_DOUBT, UNSENT, Ended, Hold
from eyeline.policy.pace import Pace, Turn

CENT = Decimal("0.01")
# When something ended matters to no test here.
NOW_S = 1.0
HOLD = Hold("gpt-6-luna", 1000, CENT)


def lessor(per_min: float | None = None, limit_usd: Decimal | None = None) -> Lessor:
    made = Lessor(partial(Pace, per_min))
    made.open("run", budget_from(limit_usd))
    return made


def exchange(lender: Lessor, tenant: Tenant, now_s: float = 0.0, epoch: int = 1) -> Grant:
    """Carry one report and its grant."""
    return exchange_of(lender, tenant, "shard", epoch, now_s)


def exchange_of(lender: Lessor, tenant: Tenant, lot: str, epoch: int, now_s: float) -> Grant:
    grant = lender.report("run", lot, epoch, tenant.report(), now_s)
    tenant.take(grant, now_s)
    return grant


def lent(lender: Lessor, tenant: Tenant, now_s: float = 0.0) -> Turn:
    """Have one permit lent."""
    turn = tenant.reserve(HOLD, None, now_s)
    exchange(lender, tenant, now_s)
    granted = tenant.reserve(HOLD, turn, now_s)
    assert granted.wait_s == 0
    return granted


# --- one tenant -----------------------------------------------------------------------------------


def test_a_permit_comes_with_the_grant() -> None:
    """Who wants to send waits until the lessor has lent a permit, and then may go."""
    lender, tenant = lessor(), Tenant()
    turn = tenant.reserve(HOLD, None, 0.0)
    assert turn.wait_s == LOOK_S_MIN
    assert tenant.reserve(HOLD, turn, 0.1).wait_s > 0
    assert exchange(lender, tenant, 0.2).given == (1,)
    assert tenant.reserve(HOLD, turn, 0.3).wait_s == 0


def test_the_pace_is_the_lessors() -> None:
    """Of two who ask at once, the second goes when the pace lets it."""
    lender, tenant = lessor(60), Tenant()
    first, second = (tenant.reserve(HOLD, None, 0.0) for _ in range(2))
    grant = exchange(lender, tenant)
    assert (grant.given, grant.wait_s) == ((1,), pytest.approx(1.0))
    assert tenant.reserve(HOLD, first, 0.0).wait_s == 0
    assert tenant.reserve(HOLD, second, 0.0).wait_s > 0
    assert lender.look("run", "shard", 1, 1.0).given == (2,)


def test_an_old_permit_is_void() -> None:
    """Who was asleep since its permit came gives it back unsent, and asks for a new one."""
    lender, tenant = lessor(60), Tenant()
    turn = lent(lender, tenant)
    late_s = PERMIT_S + 1
    assert tenant.reserve(HOLD, turn, late_s).wait_s > 0
    assert tenant.report().ended == ((1, UNSENT),)


def test_a_wait_is_looked_at_as_often_as_permits_come() -> None:
    """Where permits come slowly, those far behind in line look seldom; at most after a while."""
    lender, tenant = lessor(600), Tenant()
    turns = [tenant.reserve(HOLD, None, 0.0) for _ in range(50)]
    for step in range(10):
        exchange(lender, tenant, step / 10)
    waits_s = [tenant.reserve(HOLD, turn, 1.0).wait_s for turn in turns[20:]]
    assert waits_s == sorted(waits_s)
    assert waits_s[-1] == LOOK_S_MAX


def test_settled_permits_free_the_budget() -> None:
    """What a permit was spent at goes back with the next report; then there is no more to say."""
    lender, tenant = lessor(limit_usd=Decimal(1)), Tenant()
    turn = lent(lender, tenant)
    budget = lender.marks["run"].budget
    assert budget.held_usd == CENT
    tenant.settle(HOLD, turn, Ended("answered", CENT / 10), NOW_S)
    assert not tenant.is_silent
    exchange(lender, tenant)
    assert (budget.held_usd, budget.spent_usd) == (FREE, CENT / 10)
    assert tenant.is_silent


def test_limits_that_a_server_names_reach_all() -> None:
    """What one tenant heard of the server's limits holds for the others."""
    lender, one, other = lessor(), Tenant(), Tenant()
    one.heed("gpt-6-luna", Allowances(requests=Allowance(60, 0.0)), 0.0)
    exchange(lender, one)
    for _ in range(3):
        other.reserve(HOLD, None, 0.0)
    grant = lender.report("run", "other", 1, other.report(), 0.0)
    assert len(grant.given) < 3


# --- budgets --------------------------------------------------------------------------------------


def test_what_the_budget_refuses_is_raised_where_it_was_wanted() -> None:
    """A hold that can never fit is an error, which leaves nothing held and nothing to settle."""
    lender, tenant = lessor(limit_usd=CENT / 2), Tenant()
    turn = tenant.reserve(HOLD, None, 0.0)
    exchange(lender, tenant)
    with pytest.raises(BudgetExceeded):
        tenant.reserve(HOLD, turn, 0.0)
    assert tenant.is_silent
    again = tenant.reserve(HOLD, turn, 1.0)
    assert again.request != turn.request


def test_a_refused_wish_may_be_given_up() -> None:
    """Who leaves before it looked has nothing to tell the lessor."""
    lender, tenant = lessor(limit_usd=CENT / 2), Tenant()
    turn = tenant.reserve(HOLD, None, 0.0)
    exchange(lender, tenant)
    tenant.settle(HOLD, turn, UNSENT, NOW_S)
    assert tenant.is_silent


def test_what_others_hold_is_waited_for() -> None:
    """Where dollars are only held, the next waits until they are settled for less."""
    lender, tenant = lessor(6_000_000, limit_usd=CENT), Tenant()
    first = lent(lender, tenant)
    second = tenant.reserve(HOLD, None, 0.0)
    assert exchange(lender, tenant).given == ()
    tenant.settle(HOLD, first, Ended("answered", FREE), NOW_S)
    exchange(lender, tenant)
    assert tenant.reserve(HOLD, second, 0.0).wait_s == 0


def test_a_wish_that_waits_for_dollars_may_be_given_up() -> None:
    """Who waits for dollars and leaves holds none."""
    lender, tenant = lessor(6_000_000, limit_usd=CENT), Tenant()
    lent(lender, tenant)
    second = tenant.reserve(HOLD, None, 0.0)
    exchange(lender, tenant)
    tenant.settle(HOLD, second, UNSENT, NOW_S)
    exchange(lender, tenant)
    assert not lender.tenancies["shard"].waiting
    tenant.reserve(HOLD, None, 0.0)
    exchange(lender, tenant)
    lender.leave("shard", NOW_S)
    assert lender.marks["run"].budget.spent_usd == CENT


def test_the_mark_is_ahead_of_what_is_used() -> None:
    """Before permits go out that pass the mark, a higher one is to be written down."""
    lender, tenant = lessor(limit_usd=Decimal(10)), Tenant()
    tenant.reserve(HOLD, None, 0.0)
    assert exchange(lender, tenant).mark_usd == CENT + Decimal("0.1")
    for _ in range(10):
        tenant.reserve(HOLD, None, 0.0)
    assert exchange(lender, tenant).mark_usd is None
    tenant.reserve(HOLD, None, 0.0)
    assert exchange(lender, tenant).mark_usd == Decimal("0.22")


def test_runs_share_the_pace_but_no_budget() -> None:
    """A second run under the same key waits for the first one's requests, and pays by itself."""
    lender = lessor(60, Decimal(1))
    lender.open("other", budget_from(None))
    lender.open("other", budget_from(FREE))  # known already
    lent(lender, Tenant())
    other = Tenant()
    other.reserve(HOLD, None, 0.0)
    grant = lender.report("other", "lot", 1, other.report(), 0.0)
    assert (grant.given, grant.wait_s, grant.mark_usd) == ((), pytest.approx(1.0), None)


def test_other_refusals_are_raised() -> None:
    """A model without a price is refused under a budget, whatever others hold."""
    lender, tenant = lessor(limit_usd=Decimal(1)), Tenant()
    unpriced = Hold("m.gguf", 10, None)
    turn = tenant.reserve(unpriced, None, 0.0)
    grant = exchange(lender, tenant)
    assert [type(error).__name__ for _, error in grant.refused] == ["PriceUnknown"]
    with pytest.raises(Exception, match="no known price"):
        tenant.reserve(unpriced, turn, 0.0)


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_lost_grant_is_given_again() -> None:
    """A report that may be lost is said again, and what was lent comes again, held once."""
    lender, tenant = lessor(limit_usd=Decimal(1)), Tenant()
    tenant.heed("gpt-6-luna", Allowances(requests=Allowance(6000, 99.0)), 0.0)
    turn = tenant.reserve(HOLD, None, 0.0)
    said = tenant.report()
    lender.report("run", "shard", 1, said, 0.0)
    tenant.unsaid(said)
    exchange(lender, tenant)
    assert tenant.reserve(HOLD, turn, 0.0).wait_s == 0
    assert lender.marks["run"].budget.held_usd == CENT


def test_what_was_settled_before_is_settled_once() -> None:
    """The end of a permit said twice counts once."""
    lender, tenant = lessor(limit_usd=Decimal(1)), Tenant()
    tenant.settle(HOLD, lent(lender, tenant), Ended("answered", CENT), NOW_S)
    said = tenant.report()
    for _ in range(2):
        lender.report("run", "shard", 1, said, 0.0)
    assert lender.marks["run"].budget.spent_usd == CENT


def test_a_grant_that_comes_too_late_is_nobodys() -> None:
    """A permit or refusal for a wish that was given up meanwhile changes nothing."""
    tenant = Tenant()
    turn = tenant.reserve(HOLD, None, 0.0)
    tenant.report()
    tenant.settle(HOLD, turn, UNSENT, NOW_S)
    tenant.take(Grant((1,), ((1, BudgetExceeded("1", "0", "1")),)), 0.0)
    assert tenant.report().ended == ((1, UNSENT),)
    assert not tenant.granted
    assert not tenant.refused


def test_an_overtaken_try_gets_nothing_more() -> None:
    """Once a newer try at the same lot spoke, the older one is told that its lease is lost."""
    lender, old, new = lessor(limit_usd=Decimal(1)), Tenant(), Tenant()
    lent(lender, old)
    waits = old.reserve(HOLD, None, 0.0)
    exchange(lender, new, epoch=2)
    # What the old one had may have been sent.
    assert lender.marks["run"].budget.spent_usd == CENT
    with pytest.raises(LeaseLost) as raised:
        exchange(lender, old, epoch=1)
    old.lost = raised.value
    with pytest.raises(LeaseLost, match="try 1 was overtaken"):
        old.reserve(HOLD, waits, 0.0)


def test_what_an_overtaken_try_waited_for_goes_to_others() -> None:
    """A place in line of a try that was overtaken is given back."""
    lender, old = lessor(60), Tenant()
    for _ in range(3):
        old.reserve(HOLD, None, 0.0)
    exchange(lender, old)
    new = Tenant()
    new.reserve(HOLD, None, 0.0)
    grant = lender.report("run", "shard", 2, new.report(), 0.0)
    assert grant.wait_s == pytest.approx(1.0)


def test_a_silent_tenant_is_settled_in_full() -> None:
    """Who says nothing for long may have sent what it had; when it wakes up it goes on."""
    lender, tenant = lessor(limit_usd=Decimal(1)), Tenant()
    turn = lent(lender, tenant)
    budget = lender.marks["run"].budget
    lender.expire(SILENT_S - 1)
    assert budget.held_usd == CENT
    lender.expire(SILENT_S + 1)
    assert (budget.held_usd, budget.spent_usd) == (FREE, CENT)
    tenant.settle(HOLD, turn, Ended("answered", CENT), NOW_S)
    exchange(lender, tenant, SILENT_S + 2)
    assert budget.spent_usd == CENT
    lent(lender, tenant, SILENT_S + 3)


def test_a_lessor_that_lost_its_memory_is_told_again() -> None:
    """To a new lessor wishes are said again, permits lent before stay good, ends mean nothing."""
    tenant = Tenant()
    turn = lent(lessor(), tenant)
    waits = tenant.reserve(HOLD, None, 0.0)
    tenant.unsaid(tenant.report())
    after = lessor(limit_usd=Decimal(1))
    tenant.settle(HOLD, turn, IN_DOUBT, NOW_S)
    exchange(after, tenant)
    assert tenant.reserve(HOLD, waits, 0.0).wait_s == 0
    assert after.marks["run"].budget.spent_usd == FREE


def test_a_tenant_lends_to_others() -> None:
    """On a node with many slots one tenant of the cluster's lessor is the lender of the node's."""
    head, node, slot = lessor(60), Tenant(), Tenant()
    local = Lessor()
    local.runs["run"] = node
    turns = [slot.reserve(HOLD, None, 0.0) for _ in range(2)]
    exchange(local, slot)
    exchange(head, node)
    exchange(local, slot)
    assert [slot.reserve(HOLD, turn, 0.0).wait_s == 0 for turn in turns] == [True, False]


# --- rules ----------------------------------------------------------------------------------------


STEPS = st.lists(
    st.tuples(
        st.integers(0, 3),  # which of two lots, and which try at it
        st.sampled_from(["want", "settle", "report", "lose", "unsent"]),
        st.floats(0, 1),
    ),
    max_size=60,
)


def spent(tenant: Tenant, turn: Turn, now_s: float, *, sends: bool) -> Decimal:
    """Send, where that is meant and the permit is there, and settle; give what it cost."""
    turn = tenant.reserve(HOLD, turn, now_s) if sends else turn
    may_send = sends and turn.wait_s == 0
    tenant.settle(HOLD, turn, Ended("answered", CENT) if may_send else UNSENT, NOW_S)
    return CENT if may_send else FREE


@given(STEPS)
def test_no_history_passes_the_budget(steps: list[tuple[int, str, float]]) -> None:
    """Whatever is lost, repeated, overtaken or given up, what was sent never costs more than it."""
    lender, tenants = lessor(limit_usd=CENT * 5), [Tenant() for _ in range(4)]
    turns: list[dict[Turn, None]] = [{} for _ in tenants]
    sent_usd, now_s = FREE, 0.0
    for who, what, chance in steps:
        tenant, lot, epoch = tenants[who], str(who % 2), 1 + who // 2
        now_s += chance
        try:
            if what == "want":
                turns[who][tenant.reserve(HOLD, None, now_s)] = None
            elif what == "report":
                exchange_of(lender, tenant, lot, epoch, now_s)
            elif what == "lose":
                lender.report("run", lot, epoch, said := tenant.report(), now_s)
                tenant.unsaid(said)
            elif turns[who]:
                sent_usd += spent(tenant, turns[who].popitem()[0], now_s, sends=what == "settle")
        except LeaseLost as lost:
            tenant.lost = lost
        except BudgetExceeded:
            pass
        budget = lender.marks["run"].budget
        assert budget.spent_usd + budget.held_usd <= budget.limit_usd
        assert sent_usd <= budget.limit_usd


def test_a_thousand_clients_share_one_rate() -> None:
    """
    In virtual time, a thousand clients under 500 requests a second take 97 % of them or more, never
    more than the limit and its burst, and none of them starves.
    """
    rate, seconds, clients = 500, 10, 1000
    lender = lessor(rate * 60)
    tenants = [Tenant() for _ in range(clients)]
    turns: list[list[Turn]] = [[tenant.reserve(HOLD, None, 0.0)] for tenant in tenants]
    sent: Counter[int] = Counter()
    by_second: Counter[int] = Counter()
    due = [(number / clients, number) for number in range(clients)]
    while due[0][0] < seconds:
        now_s, number = heapq.heappop(due)
        tenant = tenants[number]
        grant = lender.report("run", str(number), 1, tenant.report(), now_s)
        tenant.take(grant, now_s)
        waiting = []
        for before in turns[number]:
            turn = tenant.reserve(HOLD, before, now_s)
            if turn.wait_s:
                waiting.append(turn)
                continue
            sent[number] += 1
            by_second[int(now_s)] += 1
            tenant.settle(HOLD, turn, Ended("answered", FREE), NOW_S)
            waiting.append(tenant.reserve(HOLD, None, now_s))
        turns[number] = waiting
        heapq.heappush(due, (now_s + min(grant.wait_s or 0.1, 0.5), number))
    assert 0.97 * rate * seconds <= sent.total() <= rate * (seconds + 0.1)
    assert max(by_second.values()) <= rate * 1.2
    assert min(sent[number] for number in range(clients)) >= 2
