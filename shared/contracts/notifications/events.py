"""What notifications announces: nothing that has to arrive."""
