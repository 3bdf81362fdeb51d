# The program, for callPackage.
{
  lib,
  python3,
}:
let
  project = (lib.importTOML ../pyproject.toml).project;
  version = lib.removeSuffix "\"" (
    lib.removePrefix "__version__ = \"" (
      lib.findFirst (lib.hasPrefix "__version__") (throw "no version") (
        lib.splitString "\n" (lib.readFile ../git_credential_hf/__init__.py)
      )
    )
  );
in
python3.pkgs.buildPythonApplication rec {
  pname = project.name;
  inherit version;
  pyproject = true;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../LICENSE
      ../README.md
      ../bin
      ../completions
      ../docs
      ../examples
      ../git_credential_hf
      ../pyproject.toml
    ];
  };

  build-system = [ python3.pkgs.hatchling ];
  dependencies = with python3.pkgs; [
    jeepney
    keyring
    secretstorage
  ];

  # The store has one interpreter for it, so that git need not wait for a shell that looks for one; nor for a wrapper.
  dontWrapPythonPrograms = true;
  postInstall = ''
    place=$out/${python3.sitePackages}
    program=$out/bin/git-credential-hf
    {
      echo "#!${python3.interpreter} -ISXutf8"
      sed "s#^package = sys\.argv.*#package = \"$place/git_credential_hf\"#" git_credential_hf/startup/start.py
    } >$program
    grep -qxF "package = \"$place/git_credential_hf\"" $program
    printf '%s\n' ${
      lib.concatMapStringsSep " " (package: "${package}/${python3.sitePackages}") (
        python3.pkgs.requiredPythonModules dependencies
      )
    } >$place/git-credential-hf.pth
  '';
  # In the store every file is of the first second of 1970, which is what bytecode has to be of.
  postFixup = ''
    find $out/${python3.sitePackages}/git_credential_hf -name '*.py' -exec touch -d @1 {} +
    ${python3.interpreter} -m compileall -q -f --invalidation-mode timestamp $out/${python3.sitePackages}/git_credential_hf
    $out/bin/git-credential-hf --version # which leaves a bundle of the bytecode
  '';

  doCheck = false; # the tests need a machine with keyrings and a Hub on loopback
  pythonImportsCheck = [ "git_credential_hf" ];

  meta = {
    inherit (project) description;
    license = lib.licenses.mit;
    mainProgram = pname;
    platforms = lib.platforms.linux;
  };
}
