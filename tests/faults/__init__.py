"""The fault suite: real processes, real servers, seeded faults, and a checker that knows what was
acknowledged. ``python -m tests.faults`` says how to run it."""
