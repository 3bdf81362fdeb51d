"""Makes installed packages importable, for people's commands. What answers git needs none."""


def enable() -> None:
    """Make installed packages importable where the interpreter was started without `site`."""
    import sys

    if sys.flags.no_site and "site" not in sys.modules:
        import os
        import site

        site.main()
        # The interpreter may be installed elsewhere: by Nix, or where the user has installed this package.
        beside = os.path.realpath(f"{__file__}/../../..")
        if beside not in map(os.path.realpath, site.getsitepackages()):
            site.addsitedir(beside)
