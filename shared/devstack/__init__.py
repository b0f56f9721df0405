"""A development stack on a bare machine: private PostgreSQL and RabbitMQ, supervised processes, keys, passwords."""
