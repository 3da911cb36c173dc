"""TASTR's ablations on a site of one's own: the rows of its tables, what became of them, and a page that shows both."""
