"""What callers pass: checked, converted, and declared once. Needs no native library."""
