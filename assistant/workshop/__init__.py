"""The workshop: ways to adapt the shared base to a task, all on one training loop and one evaluation."""
