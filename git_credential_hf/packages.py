"""Other packages, for what needs them: the answer to git does not, and starts without looking for any."""


def enable() -> None:
    """Make installed packages importable where the interpreter was started without `site`."""
    import sys

    if sys.flags.no_site and "site" not in sys.modules:
        import encodings
        import site

        if give_way := getattr(encodings, "give_way", None):  # this package's own, which has UTF-8 alone
            give_way()
        site.main()
