"""The paper venue's accounts: cash, positions, margin, fees and ledger, to the last digit."""
