"""Installed packages, for what needs them: what answers git does not, and starts without looking for any."""


def enable() -> None:
    """Make installed packages importable where the interpreter was started without `site`."""
    import sys

    if sys.flags.no_site and "site" not in sys.modules:
        import site

        site.main()
