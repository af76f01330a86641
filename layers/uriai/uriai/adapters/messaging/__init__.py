"""What `notify` needs of the outside: messengers, receipts, queues. Never the database."""
