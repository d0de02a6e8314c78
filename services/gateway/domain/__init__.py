"""Rules of the gateway as values and functions: who may do what, secrets, attempts, the errors of OAuth."""
