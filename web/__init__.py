"""The doors: HTTP for programs, pages for people, links for whoever has a phone in their hand."""
