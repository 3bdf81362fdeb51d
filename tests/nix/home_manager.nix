# Home Manager's programs.git as it looks to a module beside it: its options' types, what follows what in the file that it
# writes. release: "25.05", where settings are extraConfig; "25.11", where they are one set; "26.05", where they may be a
# list.
release:
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.programs.git;
  scalar = types.either types.str (types.either types.bool types.int);
  value = types.either scalar (types.listOf scalar);
  ini = types.attrsOf (types.attrsOf (types.either value (types.attrsOf value)));
  name = if release == "25.05" then "extraConfig" else "settings";
  settings = cfg.${name};
  rendered = lib.generators.toGitINI;
in
{
  options.programs.git = {
    enable = mkOption {
      type = types.bool;
      default = false;
    };
    iniContent = mkOption { type = ini; };
    lfs.enable = mkOption {
      type = types.bool;
      default = false;
    };
    ${name} = mkOption {
      type =
        {
          "25.05" = types.either types.lines ini;
          "25.11" = ini;
          "26.05" = types.either ini (types.listOf ini);
        }
        .${release};
      default = { };
    };
  };
  options.xdg.configFile = mkOption {
    type = types.attrsOf (
      types.submodule {
        options = {
          text = mkOption {
            type = types.nullOr types.lines;
            default = null;
          };
          source = mkOption {
            type = types.anything;
            default = null;
          };
        };
      }
    );
  };
  config = {
    programs.git.iniContent = lib.mkIf (builtins.isAttrs settings) settings;
    xdg.configFile."git/config".text = lib.concatStringsSep "\n" (
      [ (rendered cfg.iniContent) ]
      ++ (
        if builtins.isList settings then
          map rendered settings
        else if builtins.isString settings then
          [ settings ]
        else
          [ ]
      )
    );
  };
}
