"""Who was on time, and what parallel work saved."""
