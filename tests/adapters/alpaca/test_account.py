"""What Alpaca's rows say of what one has: accounts, positions and the ledger."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.alpaca.trading_rows import ACCOUNT, AT_NS, D, read, reading

from dragoman.errors import DecodeError, ProtocolError
from dragoman.models import (
    Account,
    Balance,
    LedgerKind,
    MarginMode,
    Money,
    Position,
    PositionMode,
    RiskLimit,
    RiskLimitKind,
)
from dragoman.times import parse_time
from dragoman_alpaca.mapping.account import (
    account_of,
    configuration,
    ledger_entry_of,
    position_of,
)
from dragoman_alpaca.wire.trading import AccountRow, ActivityRow, ConfigurationsRow, PositionRow

ACCOUNT_CONTENT = {
    "account_blocked": False,
    "account_number": "PALPACA_123",
    "admin_configurations": {},
    "buying_power": "245432.61",
    "cash": "122086.5",
    "currency": "USD",
    "daytrade_count": 0,
    "equity": "123346.11",
    "id": ACCOUNT,
    "initial_margin": "629.8",
    "maintenance_margin": "377.88",
    "multiplier": "2",
    "pattern_day_trader": True,
    "portfolio_value": "123346.11",
    "status": "ACTIVE",
    "trade_suspended_by_user": False,
    "trading_blocked": False,
    "user_configurations": None,
}
POSITION = {
    "asset_id": "904837e3-3b76-47ec-b432-046db621571b",
    "symbol": "AAPL",
    "exchange": "NASDAQ",
    "asset_class": "us_equity",
    "avg_entry_price": "100.0",
    "qty": "5",
    "qty_available": "4",
    "side": "long",
    "market_value": "600.0",
    "cost_basis": "500.0",
    "unrealized_pl": "100.0",
    "current_price": "120.0",
    "lastday_price": "119.0",
}
ENTRY = {
    "id": "20220812000000000::53be51ba-46f9-43de-b81f-576f241dc680",
    "activity_type": "CFEE",
    "date": "2022-08-12",
    "net_amount": "0",
    "description": "Coin Pair Transaction Fee (Non USD)",
    "symbol": "BTCUSD",
    "qty": "-0.000195",
    "price": "1884.5",
    "status": "executed",
}
KINDS = {
    "CSD": LedgerKind.DEPOSIT,
    "CSW": LedgerKind.WITHDRAWAL,
    "TRANS": LedgerKind.TRANSFER,
    "ACATC": LedgerKind.TRANSFER,
    "ACATS": LedgerKind.TRANSFER,
    "JNL": LedgerKind.TRANSFER,
    "JNLC": LedgerKind.TRANSFER,
    "JNLS": LedgerKind.TRANSFER,
    "FOPT": LedgerKind.TRANSFER,
    "FEE": LedgerKind.FEE,
    "CFEE": LedgerKind.FEE,
    "DIVFEE": LedgerKind.FEE,
    "PTC": LedgerKind.FEE,
    "PTR": LedgerKind.FEE,
    "INT": LedgerKind.INTEREST,
    "INTNRA": LedgerKind.TAX,
    "INTTW": LedgerKind.TAX,
    "WH": LedgerKind.TAX,
    "DIV": LedgerKind.DIVIDEND,
    "DIVCGL": LedgerKind.DIVIDEND,
    "DIVCGS": LedgerKind.DIVIDEND,
    "DIVROC": LedgerKind.DIVIDEND,
    "DIVTXEX": LedgerKind.DIVIDEND,
    "CGD": LedgerKind.DIVIDEND,
    "DIVFT": LedgerKind.TAX,
    "DIVNRA": LedgerKind.TAX,
    "DIVTW": LedgerKind.TAX,
    "SPLIT": LedgerKind.SPLIT,
    "MA": LedgerKind.MERGER,
    "NC": LedgerKind.SYMBOL_CHANGE,
    "SPIN": LedgerKind.ADJUSTMENT,
    "REORG": LedgerKind.ADJUSTMENT,
    "VOF": LedgerKind.ADJUSTMENT,
    "OPCA": LedgerKind.ADJUSTMENT,
    "OPASN": LedgerKind.ASSIGNMENT,
    "OPEXC": LedgerKind.EXERCISE,
    "OPEXP": LedgerKind.EXPIRY,
    "OPTRD": LedgerKind.SETTLEMENT,
    "OPCSH": LedgerKind.SETTLEMENT,
    "MISC": LedgerKind.OTHER,
    "NOBODY_KNOWS": LedgerKind.OTHER,
}


class TestAccount:
    def read(self, **fields):
        return account_of(read(ACCOUNT_CONTENT | fields, AccountRow), reading())

    def test_is_read_whole(self):
        assert (
            Account(
                account_id=ACCOUNT,
                provider="alpaca-paper",
                received_at_ns=AT_NS,
                name="PALPACA_123",
                can_trade=True,
                currency="USD",
                equity=D("123346.11"),
                cash=D("122086.5"),
                buying_power=D("245432.61"),
                margin_used=D("629.8"),
                maintenance_margin=D("377.88"),
                balances=(Balance(currency="USD", total=D("122086.5")),),
                position_mode=PositionMode.NETTING,
                margin_mode=MarginMode.CROSS,
                leverage=D(2),
            )
            == self.read()
        )

    def test_is_known_to_be_simulated_by_whoever_connects(self):
        row = read(ACCOUNT_CONTENT, AccountRow)

        assert True is account_of(row, reading(), is_simulated=True).is_simulated

    @pytest.mark.parametrize(
        ("word", "can_trade"),
        [
            ("ACTIVE", True),
            ("ACCOUNT_UPDATED", None),
            ("LIMITED", None),
            ("PAPER_ONLY", None),
            ("ACTION_REQUIRED", None),
            ("ACCOUNT_CLOSED_PENDING", None),
            ("INACTIVE", False),
            ("ONBOARDING", False),
            ("SUBMISSION_FAILED", False),
            ("SUBMITTED", False),
            ("APPROVAL_PENDING", False),
            ("APPROVED", False),
            ("REJECTED", False),
            ("ACCOUNT_CLOSED", False),
            ("PONDERING", None),
            (None, None),
        ],
    )
    def test_status(self, word, can_trade):
        assert can_trade is self.read(status=word).can_trade

    @pytest.mark.parametrize(
        "flag", ["trading_blocked", "account_blocked", "trade_suspended_by_user"]
    )
    def test_one_that_is_blocked_cant_trade(self, flag):
        assert False is self.read(**{flag: True}).can_trade

    def test_in_older_payloads_amounts_are_numbers_and_the_equity_has_another_name(self):
        account = self.read(cash=662724.752, equity=None, multiplier=1, portfolio_value=1.5)

        assert (D("662724.752"), D("1.5"), MarginMode.CASH) == (
            account.cash,
            account.equity,
            account.margin_mode,
        )

    @pytest.mark.parametrize(
        ("fields", "limits"),
        [
            (
                {"pattern_day_trader": False, "equity": "24999", "daytrade_count": 2},
                (RiskLimit(kind=RiskLimitKind.DAY_TRADES, limit=D(3), used=D(2)),),
            ),
            ({"pattern_day_trader": False, "equity": "25000"}, ()),
            ({"pattern_day_trader": True, "equity": "24999"}, ()),
            ({"pattern_day_trader": False, "equity": "24999", "daytrade_count": None}, ()),
        ],
        ids=["small", "large", "pattern-day-trader", "no-count"],
    )
    def test_day_trades_are_a_limit_while_they_are_counted(self, fields, limits):
        assert limits == self.read(**fields).risk_limits

    def test_little_is_enough(self):
        account = account_of(read({"id": "account-123"}, AccountRow), reading())

        assert ("account-123", None, None, ()) == (
            account.account_id,
            account.equity,
            account.margin_mode,
            account.balances,
        )

    def test_without_an_id_is_refused(self):
        with pytest.raises(ProtocolError):
            self.read(id="")


def test_configuration_has_what_is_said():
    content = {
        "dtbp_check": "entry",
        "no_shorting": False,
        "max_margin_multiplier": "4",
        "pdt_check": None,
        "new_setting": 1,
    }

    assert {
        "dtbp_check": "entry",
        "no_shorting": False,
        "max_margin_multiplier": "4",
    } == configuration(read(content, ConfigurationsRow))


class TestPosition:
    def read(self, **fields):
        return position_of(read(POSITION | fields, PositionRow), reading())

    def test_is_read_whole(self):
        assert (
            Position(
                position_id="AAPL",
                account_id=ACCOUNT,
                symbol="AAPL",
                quantity=D(5),
                provider="alpaca-paper",
                received_at_ns=AT_NS,
                average_entry_price=D(100),
                mark_price=D(120),
                available_quantity=D(4),
                unrealized_pnl=Money(D(100), "USD"),
            )
            == self.read()
        )

    @pytest.mark.parametrize("quantity", ["-5", "5"], ids=["signed", "unsigned"])
    def test_one_that_is_short_is_below_zero(self, quantity):
        position = self.read(qty=quantity, side="short", qty_available=quantity)

        assert (D(-5), D(-5)) == (position.quantity, position.available_quantity)

    def test_crypto_has_its_slash_again(self):
        position = self.read(symbol="BTCUSD")

        assert ("BTC/USD", "BTC/USD") == (position.symbol, position.position_id)

    def test_its_profit_is_in_the_accounts_currency(self):
        found = position_of(read(POSITION, PositionRow), reading(), currency="EUR")

        assert Money(D(100), "EUR") == found.unrealized_pnl

    def test_little_is_enough(self):
        found = position_of(read({"symbol": "TSLA", "qty": "-5"}, PositionRow), reading())

        assert (D(-5), None, None) == (found.quantity, found.unrealized_pnl, found.mark_price)

    @pytest.mark.parametrize("fields", [{"qty": None}, {"symbol": ""}], ids=["qty", "symbol"])
    def test_of_nothing_is_refused(self, fields):
        with pytest.raises(ProtocolError):
            self.read(**fields)


class TestLedgerEntry:
    def read(self, **fields):
        return ledger_entry_of(read(ENTRY | fields, ActivityRow), reading())

    @pytest.mark.parametrize(("word", "kind"), KINDS.items(), ids=KINDS)
    def test_kind(self, word, kind):
        assert kind is self.read(activity_type=word).kind

    def test_a_kind_nobody_knows_is_reported(self, caplog):
        with caplog.at_level(logging.WARNING):
            self.read(activity_type="PONDERING")

        assert ["PONDERING"] == [record.word for record in caplog.records]

    def test_a_fee_in_the_asset_moves_the_position_and_no_money(self):
        entry = self.read()

        assert (None, D("-0.000195"), D("1884.5"), "BTC/USD") == (
            entry.amount,
            entry.quantity,
            entry.price,
            entry.symbol,
        )
        assert ENTRY["id"] == entry.entry_id
        assert parse_time("2022-08-12T00:00:00-04:00") == entry.venue_time_ns

    def test_a_dividend_is_money_for_shares_that_do_not_move(self):
        entry = self.read(activity_type="DIV", net_amount="1.02", qty="2", currency="CAD")

        assert (Money(D("1.02"), "CAD"), None) == (entry.amount, entry.quantity)

    def test_a_dividend_in_shares_moves_them(self):
        entry = self.read(activity_type="DIV", activity_sub_type="SDIV", qty="2")

        assert D(2) == entry.quantity

    def test_a_name_change_without_quantity_keeps_that_it_cost_nothing(self):
        entry = self.read(activity_type="NC", qty=None)

        assert (Money(D(0), "USD"), None) == (entry.amount, entry.quantity)

    @pytest.mark.parametrize(
        ("fields", "time"),
        [
            ({"date": "2022-01-12"}, "2022-01-12T00:00:00-05:00"),
            ({"date": "2022-08-12T10:11:12Z"}, "2022-08-12T10:11:12Z"),
            ({"created_at": "2022-08-13T01:02:03.5Z"}, "2022-08-13T01:02:03.5Z"),
            ({"date": None, "transaction_time": "2022-08-13T01:02:03Z"}, "2022-08-13T01:02:03Z"),
        ],
        ids=["winter", "time", "created", "transaction"],
    )
    def test_time(self, fields, time):
        assert parse_time(time) == self.read(**fields).venue_time_ns

    def test_an_execution_is_none(self):
        assert None is self.read(activity_type="FILL")

    def test_what_was_taken_back_is_none(self):
        assert None is self.read(status="canceled")

    @pytest.mark.parametrize(
        "fields",
        [{"date": None, "id": "a::b"}, {"date": "someday", "id": "2019::b"}, {"id": ""}],
        ids=["when", "some", "id"],
    )
    def test_without_time_or_id_is_refused(self, fields):
        with pytest.raises(ProtocolError):
            self.read(**fields)


def some(content):
    words = st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["", "-1", "1e5"]))
    more = st.one_of(words, st.text(max_size=150))
    optional = {name: st.one_of(st.just(value), more) for name, value in content.items()}
    return st.fixed_dictionaries({}, optional=optional)


@given(some(ACCOUNT_CONTENT), some(POSITION), some(ENTRY))
def test_any_row_is_read_or_refused_as_the_venues_fault(account, position, entry):
    for content, shape, of in (
        (account, AccountRow, account_of),
        (position, PositionRow, position_of),
        (entry, ActivityRow, ledger_entry_of),
    ):
        try:
            found = of(read(content, shape), reading())
        except (DecodeError, ProtocolError):
            continue
        assert found is None or "alpaca-paper" == found.provider
