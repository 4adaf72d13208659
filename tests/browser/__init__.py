"""What a buyer meets in a real Chromium. Pages are found by role, label and words only."""
