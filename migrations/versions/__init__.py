"""The steps, one file each; the number in front shows the order."""
