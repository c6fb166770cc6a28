"""What a payload is told as, in short: kind, models and key amounts, line by line."""

from dragoman.decoding import PayloadContext, decode_payload, to_document
from dragoman_alpaca.mapping import PAYLOADS as TABLE

CONTEXT = PayloadContext(provider="alpaca", received_at_ns=1_800_000_000_000_000_000)
SHOWN = (
    *("symbol", "side", "order_type", "order_class", "quantity", "notional", "limit_price"),
    *("stop_price", "trailing", "time_in_force", "status", "revision", "filled_quantity"),
    *("average_fill_price", "price", "size", "open", "high", "low", "close", "volume"),
    *("is_complete", "bid_price", "bid_size", "ask_price", "ask_size", "equity", "cash"),
    *("buying_power", "mark_price", "last_price", "strike", "iv", "state", "kind", "reason"),
    *("outcome", "amount", "opens_at", "venue_time", "error", "values", "trades", "quotes"),
)


def shown(value):
    if isinstance(value, dict):
        said = ((name, each) for name, each in value.items() if each is not None)
        return f"{{{' '.join(f'{name}:{shown(each)}' for name, each in said)}}}"
    if isinstance(value, list):
        return f"[{' '.join(map(shown, value))}]"
    return str(value)


def shown_item(item):
    named = (f"{name}={shown(item[name])}" for name in SHOWN if item.get(name) not in (None, []))
    nested = (
        f"{name}({shown_item(item[name])})"
        for name in ("order", "fill", "position", "quote", "ticker", "replacement")
        if isinstance(item.get(name), dict)
    )
    return " ".join([item.get("type", ""), *named, *nested]).strip()


def summary(data, kind=None):
    decoded = decode_payload(TABLE, data, CONTEXT, kind)
    document = to_document(decoded)
    told = [shown_item(item) for item in document] if isinstance(document, list) else None
    name = None if decoded.kind is None else decoded.kind.name
    return {"kind": name, "told": shown_item(document) if told is None else told}
