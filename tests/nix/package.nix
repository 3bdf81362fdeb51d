# Builds nix/package.nix with this machine's Python and the packages in `modules`, in the place of nixpkgs' own: what the
# package does of its own accord is all that is run here. Nothing of it is sandboxed.
{
  python, # the path of an interpreter, of the version
  version,
  modules, # the folder that has what the program imports
  path, # PATH of the build: pip and hatchling are on it
}:
let
  inherit (builtins)
    concatStringsSep
    filter
    fromTOML
    head
    isString
    readFile
    split
    stringLength
    substring
    ;

  lib = {
    inherit readFile;
    importTOML = file: fromTOML (readFile file);
    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    removePrefix = prefix: text: substring (stringLength prefix) (stringLength text) text;
    removeSuffix = suffix: text: substring 0 (stringLength text - stringLength suffix) text;
    splitString = separator: text: filter isString (split separator text);
    findFirst =
      holds: default: list:
      let
        found = filter holds list;
      in
      if found == [ ] then default else head found;
    concatMapStringsSep =
      separator: f: list:
      concatStringsSep separator (map f list);
    fileset = {
      unions = list: list;
      toSource =
        { root, fileset }:
        derivation {
          name = "source";
          system = builtins.currentSystem;
          builder = "/bin/sh";
          PATH = path;
          files = map (file: "${file}") fileset;
          names = map baseNameOf fileset;
          args = [
            "-euc"
            ''mkdir $out; set -- $names; for file in $files; do cp -r "$file" "$out/$1"; shift; done''
          ];
        };
    };
    licenses.mit = "MIT";
    platforms.linux = [ ];
  };

  python3 = {
    interpreter = python;
    pythonVersion = version;
    sitePackages = "lib/python${version}/site-packages";
    outPath = dirOf (dirOf python);
    pkgs = {
      hatchling = null;
      jeepney = modules;
      keyring = modules;
      secretstorage = modules;
      requiredPythonModules = list: [ (head list) ];
      buildPythonApplication =
        { pname, version, src, postInstall, postFixup, ... }:
        derivation {
          name = "${pname}-${version}";
          system = builtins.currentSystem;
          builder = "/bin/sh";
          PATH = path;
          inherit src postInstall postFixup;
          args = [
            "-euc"
            ''
              export HOME="$TMPDIR" PIP_DISABLE_PIP_VERSION_CHECK=1
              cp -r "$src" source
              chmod -R u+w source
              cd source
              python -m pip wheel --quiet --no-index --no-deps --no-build-isolation --wheel-dir wheels .
              # By its name: of a file pip would note the place, which is another one each time.
              python -m pip install --quiet --no-index --find-links wheels --no-deps --no-compile \
                --ignore-installed --prefix "$out" ${pname}
              eval "$postInstall"
              eval "$postFixup"
            ''
          ];
        };
    };
  };
in
import ../../nix/package.nix { inherit lib python3; }
