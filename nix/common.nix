# What the modules for Home Manager and for NixOS share: the options, and what is rendered from them.
{
  config,
  lib,
  pkgs,
  systemctl, # its path
}:
let
  cfg = config.programs.git-credential-hf;
  inherit (lib) mkOption types;

  program = "${cfg.package}/bin/git-credential-hf";
  files = lib.filter (file: file != null) (map (token: token.file) (lib.attrValues cfg.tokens));

  # What keeps the file of a token from being read, and what to write in its place; null for one that can be.
  fault =
    name: file:
    let
      option = "programs.git-credential-hf.tokens.${name}.file";
      given = ''${option} = "${builtins.unsafeDiscardStringContext (toString file)}"'';
      isPlace = lib.hasPrefix "/" file || lib.hasPrefix "~/" file;
    in
    if
      builtins.isPath file || builtins.hasContext file || lib.hasPrefix "${builtins.storeDir}/" file
    then
      ''${option} must be a string that names a file outside the Nix store, which everybody can read: write "/home/me/secrets/huggingface.token", with the quotes.''
    else if !isPlace && builtins.match ".*(hf_|api_org_).*" file != null then
      # Which is not shown.
      ''${option} must name a file, and what it has may be a token, which everybody could read in the Nix store: write where the token is, as in "~/secrets/huggingface.token".''
    else if builtins.match ".*[$].*" file != null then
      ''${given} has a variable in it, which nothing expands: write the path itself. With agenix in Home Manager, set age.secretsDir = "''${config.home.homeDirectory}/.agenix".''
    else if builtins.match ".*%[A-Za-z].*" file != null then
      "${given} has a specifier in it, as systemd's %t or sops-nix's %r, which nothing expands: write the path itself. With sops-nix in Home Manager, leave sops.secrets.<name>.path at its default."
    else if !isPlace then
      ''${given} is a relative path, and there is no folder that it is relative to: begin it with "/" or "~/", as in "~/secrets/huggingface.token".''
    else
      null;

  # What each token is for.
  places = lib.concatMap (
    token:
    map (scope: {
      inherit scope;
      user = if token.user == null then "hf_user" else token.user;
    }) (if builtins.isList token.scope then token.scope else [ token.scope ])
  ) (lib.filter (token: token.file == null || fault "" token.file == null) (lib.attrValues cfg.tokens));
  cached = lib.filter (token: token.cache) (lib.attrValues cfg.tokens);

  # Where the person's programs are, for sources that are commands. %h and %u are systemd's, see systemd.unit(5).
  path = lib.concatStringsSep ":" [
    "${cfg.package}/bin"
    "/run/wrappers/bin"
    "%h/.nix-profile/bin"
    "%h/.local/state/nix/profile/bin"
    "/etc/profiles/per-user/%u/bin"
    "/nix/var/nix/profiles/default/bin"
    "/run/current-system/sw/bin"
    "/usr/local/bin"
    "/usr/bin"
    "/bin"
  ];
  # One that is running is stopped and started anew, so that it sees what has changed.
  seedAgain = "${systemctl} --user restart --no-block git-credential-hf-seed.service git-credential-hf-keyring.service";
  specifiers = [
    "%h"
    "%u"
  ];
in
{
  options = {
    enable = lib.mkEnableOption "git-credential-hf, a git credential helper for Hugging Face";

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The package to use.";
    };

    hosts = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "hub.example.org" ];
      description = "Hosts beside huggingface.co that it answers for, each as HOST or HOST:PORT.";
    };

    tokens = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            file = mkOption {
              # A path is told from a string, so that it can be refused with a reason.
              type = types.nullOr (types.either types.str types.path);
              default = null;
              example = "~/secrets/huggingface.token";
              description = ''
                The file that holds the token, as a string: a Nix path would be copied into the store,
                which everybody can read. sops-nix and agenix have it as `config.….path`.
              '';
            };
            command = mkOption {
              type = types.nullOr (types.listOf types.str);
              default = null;
              example = [
                "pass"
                "huggingface"
              ];
              description = "The command that prints the token, in place of a file.";
            };
            scope = mkOption {
              type = types.nullOr (types.either types.str (types.listOf types.str));
              default = null;
              example = "my-org";
              description = "The organisations or repositories that it is for; without one, the whole host.";
            };
            user = mkOption {
              type = types.nullOr types.str;
              default = null;
              description = "Whose token it is, if git is to ask for that user's.";
            };
            cache = mkOption {
              type = types.bool;
              default = false;
              description = "Whether it is Hugging Face's own token file too, which `hf` reads; one token at most.";
            };
          };
        }
      );
      default = { };
      example = {
        all = {
          file = "~/secrets/huggingface.token";
          cache = true;
        };
        my-org = {
          command = [
            "pass"
            "huggingface/my-org"
          ];
          scope = "my-org";
        };
      };
      description = "The tokens to seed, by names of your own.";
    };

    resetHelpers = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether git forgets the credential helpers that are configured for every host. Without that each of them is
        handed the token to store it.
      '';
    };

    gitLfs = mkOption {
      type = types.bool;
      default = true;
      description = "Whether git-lfs is set up too.";
    };

    seed = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the tokens are seeded at login, and again when one of their files changes.";
      };
      onActivation = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the tokens are seeded at each rebuild too.";
      };
    };

    unlock = mkOption {
      type = types.nullOr (
        types.enum [
          "never"
          "auto"
          "prompt"
        ]
      );
      default = null;
      description = "What the helper may do about a locked keyring; null is its own default.";
    };

    timeout = mkOption {
      type = types.nullOr (types.either types.int types.float);
      default = null;
      description = "The seconds that the keyring may take when git asks; null is the helper's own default.";
    };

    extraFlags = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "--no-prompt" ];
      description = "More options of the helper, before what git runs.";
    };
  };

  assertions = [
    {
      assertion = pkgs.stdenv.hostPlatform.isLinux;
      message = "programs.git-credential-hf needs Linux.";
    }
    {
      assertion = config.programs.git.enable;
      message = "programs.git-credential-hf needs programs.git.enable.";
    }
    {
      assertion = lib.all (
        token: (token.file == null) != (token.command == null) && token.command != [ ]
      ) (lib.attrValues cfg.tokens);
      message = "Each of programs.git-credential-hf.tokens needs either a file or a command.";
    }
    {
      assertion = lib.length cached <= 1;
      message = "At most one of programs.git-credential-hf.tokens can have cache = true.";
    }
    {
      assertion = lib.all (token: token.scope == null) cached;
      message = "None of programs.git-credential-hf.tokens can have both cache = true and a scope: Hugging Face's token file is for the whole host.";
    }
    {
      # Two that are the token file have been told of.
      assertion =
        lib.length cached > 1
        || lib.all (one: lib.length (lib.filter (other: other == one) places) == 1) places;
      message = "No two of programs.git-credential-hf.tokens can be for the same place and user: give one of them another scope or user.";
    }
    {
      assertion = lib.all (host: builtins.match "[][A-Za-z0-9._:-]+" host != null) cfg.hosts;
      message = "Each of programs.git-credential-hf.hosts is HOST or HOST:PORT, without https:// and without a path.";
    }
    {
      assertion = cfg.timeout == null || (cfg.timeout > 0 && cfg.timeout < 86400);
      message = "programs.git-credential-hf.timeout is a number of seconds, above 0 and below 86400.";
    }
  ]
  ++ map (message: {
    assertion = message == null;
    inherit message;
  }) (lib.attrValues (lib.mapAttrs (name: token: if token.file == null then null else fault name token.file) cfg.tokens));

  # git's configuration, as `git-credential-hf configure` writes it.
  git.credential =
    let
      flags =
        lib.concatMap (host: [
          "--host"
          host
        ]) cfg.hosts
        ++ lib.optionals (cfg.unlock != null) [
          "--unlock"
          cfg.unlock
        ]
        ++ lib.optionals (cfg.timeout != null) [
          "--timeout"
          (toString cfg.timeout)
        ]
        ++ cfg.extraFlags;
      helper = lib.optional cfg.resetHelpers "" ++ [ (lib.escapeShellArgs ([ program ] ++ flags)) ];
      hub = {
        inherit helper;
        useHttpPath = true;
      };
    in
    lib.genAttrs (map (host: "https://${host}") cfg.hosts) (_: { inherit helper; })
    // {
      "https://huggingface.co" = hub;
      "https://hf.co" = hub;
    };

  # tokens.toml, for the files of either system.
  tokensFile = lib.mkIf (cfg.tokens != { }) {
    source = (pkgs.formats.toml { }).generate "tokens.toml" {
      tokens = lib.mapAttrs (
        _: token: lib.filterAttrs (_: value: value != null && value != false) token
      ) cfg.tokens;
    };
  };

  inherit path;

  # The units, by sections. They are those of examples/systemd with the paths of this machine.
  units =
    let
      # What both services have.
      service = {
        Type = "oneshot";
        Environment = "PATH=${path}";
        TimeoutStartSec = "10min";
        LimitCORE = 0;
        UMask = "0077";
        KillMode = "process";
        CapabilityBoundingSet = "";
        PrivateMounts = "yes";
        PrivateUsers = "yes";
        ProtectClock = "yes";
        ProtectHostname = "yes";
        ProtectKernelModules = "yes";
        ProtectControlGroups = "yes";
        ProtectSystem = "full";
        KeyringMode = "private";
        LockPersonality = "yes";
        NoNewPrivileges = "yes";
        RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6 AF_NETLINK";
        RestrictNamespaces = "yes";
        RestrictRealtime = "yes";
        RestrictSUIDSGID = "yes";
        SystemCallArchitectures = "native";
        SystemCallErrorNumber = "EPERM";
        SystemCallFilter = [
          "@system-service"
          "~@privileged @resources"
        ];
      };
    in
    {
      services = {
        git-credential-hf-seed = {
          Unit = {
            Description = "Store the Hugging Face token in the token file";
            After = [
              "sops-nix.service"
              "agenix.service"
            ];
            StartLimitIntervalSec = 0;
          };
          Service = service // {
            ExecStart = "${program} seed --optional --quiet --no-keyring";
          };
          Install.WantedBy = [ "default.target" ];
        };
        git-credential-hf-keyring = {
          Unit = {
            Description = "Store Hugging Face tokens in the keyring";
            Requisite = [ "graphical-session.target" ];
            PartOf = [ "graphical-session.target" ];
            After = [
              "graphical-session.target"
              "gnome-keyring.service"
              "gnome-keyring-daemon.service"
              "plasma-kwallet-pam.service"
              "sops-nix.service"
              "agenix.service"
              "git-credential-hf-seed.service"
            ];
            StartLimitIntervalSec = 0;
          };
          Service = service // {
            ExecStart = "${program} seed --optional --quiet --no-cache --require-keyring --timeout 60";
            SuccessExitStatus = 3;
          };
          Install.WantedBy = [ "graphical-session.target" ];
        };
        git-credential-hf-changed = {
          Unit = {
            Description = "Store Hugging Face tokens again after a change";
            StartLimitIntervalSec = 0;
          };
          Service = {
            Type = "oneshot";
            ExecStart = seedAgain;
          };
        };
      };
      paths.git-credential-hf-seed = {
        Unit.Description = "Watch the sources of Hugging Face tokens";
        Path = {
          PathChanged = [
            "%E/git-credential-hf/tokens.toml"
          ]
          ++ map (
            file:
            let
              escaped = lib.replaceStrings [ "%" ] [ "%%" ] (toString file);
            in
            if lib.hasPrefix "~/" escaped then "%h/${lib.removePrefix "~/" escaped}" else escaped
          ) files;
          Unit = "git-credential-hf-changed.service";
        };
        Install.WantedBy = [ "default.target" ];
      };
    };

  # Shell lines for a rebuild: they end well whatever happens, and wait for nobody. In a chroot, as an installation runs
  # them, systemctl would do nothing and call that well done.
  activation = ''
    if SYSTEMD_IGNORE_CHROOT=1 ${systemctl} --user show-environment >/dev/null 2>&1; then
      ${seedAgain} || :
    else
      PATH="${lib.replaceStrings specifiers [ "$HOME" "$(id -un)" ] path}:$PATH" \
        git-credential-hf seed --no-keyring --optional || :
    fi
  '';
}
