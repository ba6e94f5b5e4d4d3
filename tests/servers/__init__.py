"""Private instances of the services that the tests need: started on free ports of 127.0.0.1 in a
temporary folder, stopped and deleted afterwards. The machine's own services are never touched."""
