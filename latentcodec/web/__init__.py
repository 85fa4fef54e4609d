"""`.lat` files in a browser: the JavaScript module, and what lays it out."""
