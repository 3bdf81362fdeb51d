# What a module makes of `settings`, the JSON of programs.git-credential-hf, as one set that can be printed as JSON.
# lib: nixpkgs' own in the place of the one beside this file. system: "linux" or another.
{
  lib ? import ./lib.nix,
  module,
  package,
  settings,
  path ? null, # a token's file as a Nix path, which JSON has none of
  release ? null, # of Home Manager, or "nixos": its own module of git is there then (see home_manager.nix, nixos.nix)
  more ? "{ }", # the JSON of what other modules set
  git ? true,
  system ? "linux",
}:
let
  anything = lib.mkOption {
    type = lib.types.anything;
    default = { };
  };
  pkgs = {
    runtimeShell = "/bin/sh";
    callPackage = _: _: throw "the package is given";
    formats.toml = _: { generate = _: value: value; };
    stdenv.hostPlatform.isLinux = system == "linux";
  };
  # What other modules declare.
  others.options = {
    assertions = lib.mkOption {
      type = lib.types.listOf lib.types.anything;
      default = [ ];
    };
    environment = {
      etc = anything;
      systemPackages = anything;
    };
    home = {
      activation = anything;
      packages = anything;
    };
    programs =
      if release == null then
        {
          git = {
            enable = anything;
            config = anything;
            iniContent = anything;
            lfs.enable = anything;
          };
        }
      else
        { };
    system.userActivationScripts = anything;
    systemd = {
      package = anything;
      user = {
        paths = anything;
        services = anything;
        systemctlPath = anything;
        tmpfiles.rules = anything;
      };
    };
    xdg = if release == null then { configFile = anything; } else { };
  };
  given = builtins.fromJSON settings;
  inherit
    (lib.evalModules {
      specialArgs = { inherit pkgs; };
      modules = [
        others
        (
          if release == null then
            { }
          else if release == "nixos" then
            ./nixos.nix
          else
            import ./home_manager.nix release
        )
        module
        (builtins.fromJSON more)
        {
          programs.git.enable = git;
          programs.git-credential-hf = {
            inherit package;
          }
          // given
          // (if path == null then { } else { tokens.path.file = path; });
          systemd.package = "/systemd";
          systemd.user.systemctlPath = "systemctl";
        }
      ];
    })
    config
    ;
in
{
  failed = map (one: one.message) (lib.filter (one: !one.assertion) config.assertions);
  config =
    if lib.all (one: one.assertion) config.assertions then
      removeAttrs config [ "assertions" ]
    else
      null;
}
