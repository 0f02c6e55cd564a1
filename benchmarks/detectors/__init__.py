"""The proof of the annotators and the drop filters: test sets of their own, figures, speed, tables."""
