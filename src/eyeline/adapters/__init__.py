"""One library each, behind one port each; they decide nothing."""
