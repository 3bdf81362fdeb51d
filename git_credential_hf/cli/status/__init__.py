"""What status does: facts are found out, findings judge them, report writes both down."""
