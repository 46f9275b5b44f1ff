"""Keys of logs and of people, kept outside every archive, and what is signed with them."""
