# NixOS's programs.git as it looks to a module beside it: sets are written first, as one, and lists after them, in order.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  ini = types.attrsOf (types.attrsOf types.anything);
in
{
  options.programs.git = {
    enable = mkOption {
      type = types.bool;
      default = false;
    };
    lfs.enable = mkOption {
      type = types.bool;
      default = false;
    };
    config = mkOption {
      type = types.either ini (types.listOf ini) // {
        merge =
          place: values:
          [ (ini.merge place (builtins.filter builtins.isAttrs values)) ]
          ++ builtins.concatLists (builtins.filter builtins.isList values);
      };
      default = [ ];
    };
  };
  config.environment.etc.gitconfig.text = lib.concatStringsSep "\n" (map lib.generators.toGitINI config.programs.git.config);
}
