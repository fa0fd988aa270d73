"""What tests share: desks to try things on, people who use them, and laws that hold everywhere."""
