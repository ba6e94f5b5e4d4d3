"""The message bus behind :class:`hub.ports.Bus`: RabbitMQ, or the hub's own database."""
