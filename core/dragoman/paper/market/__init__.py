"""The paper venue's market: what is listed, when it trades, where its prices come from."""
