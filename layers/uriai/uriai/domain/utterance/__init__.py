"""What people type, understood: intent, range, centre, cameras, kinds and number."""
