# programs.git-credential-hf for NixOS without Home Manager, for every user of the machine.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.programs.git-credential-hf;
  common = import ./common.nix { inherit config lib pkgs; };
  inherit (common.units) service path;
in
{
  options.programs.git-credential-hf = common.options;

  config = lib.mkIf cfg.enable {
    inherit (common) assertions;

    environment.systemPackages = [ cfg.package ];

    programs.git.config = common.git;
    programs.git.lfs.enable = lib.mkIf cfg.gitLfs (lib.mkDefault true);

    environment.etc."git-credential-hf/tokens.toml" = common.tokensFile;
    # A file of the user's own stays in its place.
    systemd.user.tmpfiles.rules = lib.mkIf (cfg.tokens != { }) [
      "L %h/.config/git-credential-hf/tokens.toml - - - - /etc/git-credential-hf/tokens.toml"
    ];

    systemd.user.services.git-credential-hf-seed = lib.mkIf cfg.seed.enable {
      description = service.Unit.Description;
      after = service.Unit.After ++ [ "systemd-tmpfiles-setup.service" ];
      wantedBy = service.Install.WantedBy;
      serviceConfig = removeAttrs service.Service [ "Environment" ];
      environment.PATH = lib.mkForce common.path;
    };
    systemd.user.paths.git-credential-hf-seed = lib.mkIf cfg.seed.enable {
      description = path.Unit.Description;
      wantedBy = path.Install.WantedBy;
      pathConfig = path.Path;
    };

    # This runs in the systemd of each user who is logged in.
    system.userActivationScripts.git-credential-hf-seed = lib.mkIf (
      cfg.seed.enable && cfg.seed.onActivation
    ) (common.activation "${config.systemd.package}/bin/systemctl");
  };
}
