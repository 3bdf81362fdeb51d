# programs.git-credential-hf for Home Manager.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.programs.git-credential-hf;
  common = import ./common.nix {
    inherit config lib pkgs;
    systemctl = config.systemd.user.systemctlPath;
  };

  # Where Home Manager has no settings yet they are extraConfig. A list, or text, comes after iniContent.
  settings = config.programs.git.settings or config.programs.git.extraConfig or { };
  isOrdered = builtins.isList settings || builtins.isString settings;
in
{
  options.programs.git-credential-hf = common.options;

  config = lib.mkIf cfg.enable {
    inherit (common) assertions;

    home.packages = [ cfg.package ];

    programs.git.iniContent = common.git;
    # So that git forgets the helpers that stand in such settings, too.
    xdg.configFile."git/config" = lib.mkIf (cfg.resetHelpers && isOrdered) {
      text = lib.mkOrder 2000 (lib.generators.toGitINI common.git);
    };
    programs.git.lfs.enable = lib.mkIf cfg.gitLfs (lib.mkDefault true);

    xdg.configFile."git-credential-hf/tokens.toml" = common.tokensFile;

    systemd.user = lib.mkIf cfg.seed.enable { inherit (common.units) services paths; };

    # After the step that links tokens.toml, and after the one that has systemd read the units.
    home.activation.git-credential-hf-seed = lib.mkIf (cfg.seed.enable && cfg.seed.onActivation) (
      lib.hm.dag.entryAfter [ "reloadSystemd" ] ''
        if [[ ! -v DRY_RUN ]]; then
        ${common.activation}
        fi
      ''
    );
  };
}
