"""A simulated site: plan, people, walks, pictures, and the truth about them."""
