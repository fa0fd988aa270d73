"""What watches over the desk asks: whether it is well, and its figures."""
