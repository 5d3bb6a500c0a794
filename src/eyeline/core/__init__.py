"""Values and rules. Knows no clock, chance, files, network, threads or Pillow."""
