"""What people see: one page, one table for terminals, one frame for plots. Numbers are made elsewhere."""
