"""What forms of the pages do. Guard has checked Host, Origin, session and CSRF token."""
