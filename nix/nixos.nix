# programs.git-credential-hf for NixOS without Home Manager, for every user of the machine.
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
    systemctl = "${config.systemd.package}/bin/systemctl";
  };
in
{
  options.programs.git-credential-hf = common.options;

  config = lib.mkIf cfg.enable {
    inherit (common) assertions;

    environment.systemPackages = [ cfg.package ];

    # As a list, and last: so that git forgets the helpers that stand in other settings, too.
    programs.git.config = lib.mkAfter [ common.git ];
    programs.git.lfs.enable = lib.mkIf cfg.gitLfs (lib.mkDefault true);

    environment.etc."git-credential-hf/tokens.toml" = common.tokensFile;
    # A file of the user's own stays in its place.
    systemd.user.tmpfiles.rules = lib.mkIf (cfg.tokens != { }) [
      "L %h/.config/git-credential-hf/tokens.toml - - - - /etc/git-credential-hf/tokens.toml"
    ];

    systemd.user.services = lib.mkIf cfg.seed.enable (
      lib.mapAttrs (_: unit: {
        description = unit.Unit.Description;
        after = unit.Unit.After or [ ] ++ [ "systemd-tmpfiles-setup.service" ];
        requisite = unit.Unit.Requisite or [ ];
        partOf = unit.Unit.PartOf or [ ];
        wantedBy = unit.Install.WantedBy or [ ];
        startLimitIntervalSec = unit.Unit.StartLimitIntervalSec;
        serviceConfig = removeAttrs unit.Service [ "Environment" ];
        environment.PATH = lib.mkForce common.path;
      }) common.units.services
    );
    systemd.user.paths = lib.mkIf cfg.seed.enable (
      lib.mapAttrs (_: unit: {
        description = unit.Unit.Description;
        wantedBy = unit.Install.WantedBy;
        pathConfig = unit.Path;
      }) common.units.paths
    );

    # This runs in the systemd of each user who is logged in.
    system.userActivationScripts.git-credential-hf-seed = lib.mkIf (
      cfg.seed.enable && cfg.seed.onActivation
    ) common.activation;
  };
}
