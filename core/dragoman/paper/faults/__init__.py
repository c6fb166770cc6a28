"""Scripted faults as pure data: what goes wrong and when; the mock adapter carries them out."""
