"""The HTTP application: accounts, pages and health; see `app.create_app`."""
