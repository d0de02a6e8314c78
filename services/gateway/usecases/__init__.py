"""What people and programs ask of the gateway: tokens, and for the operator the register of clients and persons."""
