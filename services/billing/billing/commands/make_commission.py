"""What an award does to the books: a step of crediting it, and of taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing import ledger, rules
from billing.commands.find_payees import Owner, Payee
from shared.contracts.commission.events import CommissionAccrued, CommissionReversed, ReferralCommissionAccrued
from shared.contracts.envelope import Received

Award = CommissionAccrued | ReferralCommissionAccrued | CommissionReversed


def owner_of(award: Award) -> Owner:
    """Who has earned it, and in which currency."""
    return award.owner_id, award.currency


def make_commission(received: Received[Award], payee: Payee) -> rules.LedgerTx:
    """The ledger transaction `commission`, the same one from whichever event, and whether or not it is paid at once.

    The owner's payable account takes it from the house and, being due at once, passes it on to his own account; for a
    frozen owner it is kept there.
    """
    award = received.data
    purpose: rules.Purpose = "commission_expense" if award.kind == "REFERRAL" else "markup"
    payable = ledger.payable("real", award.currency, award.owner_id)
    legs = [
        rules.Leg(account=ledger.house("real", award.currency, purpose), amount=-award.amount),
        rules.Leg(account=payable, amount=award.amount),
    ]
    if not payee.is_frozen:
        legs += [
            rules.Leg(account=payable, amount=-award.amount, is_incidental=True),
            make_credit(award, payee.account, award.amount, make_metadata(award)),
        ]
    return rules.LedgerTx(
        kind="commission",
        ref=award.award_id,
        environment="real",
        currency=award.currency,
        correlation_id=received.envelope.correlation_id,
        legs=legs,
    )


def make_credit(award: Award, account: rules.Account, amount: int, metadata: Mapping[str, Any]) -> rules.Leg:
    """The affiliate's line; below zero when the award is taken back."""
    reference = award.deposit_id if isinstance(award, ReferralCommissionAccrued) else award.trade_id
    return rules.Leg(
        account=account,
        amount=amount,
        tx_type="COMMISSION",
        reference=reference,
        metadata=metadata,
        is_incidental=True,
    )


def make_metadata(award: Award) -> dict[str, Any]:
    """What a line says of its award."""
    if isinstance(award, ReferralCommissionAccrued):
        source = {"deposit_id": award.deposit_id}
    else:
        source = {"trade_id": award.trade_id}
    return {**source, "award_id": award.award_id, "kind": award.kind, "payer_id": award.user_id}
