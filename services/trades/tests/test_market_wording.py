"""Contracts in Deriv's words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from trades.market.port import Contract
from trades.market.symbols import ALL
from trades.market.wording import longcode, shortcode

BOUGHT = datetime.fromtimestamp(1_790_000_100, UTC) + timedelta(seconds=0.25)


def contract(seconds, unit, symbol="R_100", contract_type="CALL", barrier=None, payout=1954):
    starts_at = BOUGHT - timedelta(seconds=0.25) + timedelta(seconds=ALL[symbol].interval)
    return Contract(
        contract_id="c",
        symbol=symbol,
        contract_type=contract_type,
        stake=1000,
        payout=payout,
        bought_at=BOUGHT,
        starts_at=starts_at,
        expires_at=starts_at + timedelta(seconds=seconds),
        barrier=barrier,
        unit=unit,
    )


@pytest.mark.parametrize(
    ("one", "written"),
    [
        (contract(10, "t"), "CALL_R_100_19.54_1790000100_5T_S0P_0"),
        (contract(60, "s", "1HZ100V", "PUT", payout=1953), "PUT_1HZ100V_19.53_1790000100_1790000161_S0P_0"),
        (contract(10, "t", barrier="+0.10"), "CALL_R_100_19.54_1790000100_5T_S10P_0"),
        (contract(10, "t", barrier="-0.37"), "CALL_R_100_19.54_1790000100_5T_S-37P_0"),
        (contract(10, "t", barrier="19.60"), "CALL_R_100_19.54_1790000100_5T_19.60_0"),
    ],
)
def test_shortcodes(one, written):
    assert shortcode(one, symbol=ALL[one.symbol], currency="USD") == written


@pytest.mark.parametrize(
    ("one", "written"),
    [
        (contract(10, "t"), "after 5 ticks is strictly higher than entry spot."),
        (contract(2, "t", contract_type="PUT"), "after 1 tick is strictly lower than entry spot."),
        (contract(300, "m"), "is strictly higher than entry spot at 5 minutes after contract start time."),
        (contract(60, "s", contract_type="CALLE"), "is higher than or equal to entry spot at 1 minute after contract"),
        (
            contract(5_415, "s", contract_type="PUTE"),
            "is lower than or equal to entry spot at 1 hour 30 minutes 15 sec",
        ),
        (contract(86_400, "d", barrier="+0.3"), "is strictly higher than entry spot plus 0.30 at 1 day after"),
        (contract(10, "t", contract_type="PUT", barrier="-0.37"), "strictly lower than entry spot minus 0.37."),
        (contract(10, "t", barrier="1512.5"), "after 5 ticks is strictly higher than 1512.50."),
    ],
)
def test_longcodes(one, written):
    assert longcode(one, symbol=ALL[one.symbol]).startswith("Win payout if Volatility 100 Index ")
    assert written in longcode(one, symbol=ALL[one.symbol])
