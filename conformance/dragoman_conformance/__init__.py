"""The test kit for adapters. Its first part is `guard`, which keeps a test run on this machine."""
