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

  # As in a virtual environment, the launcher that was installed gives way to one that starts the interpreter beside it
  # and the bundle, without what an interpreter loads for people. A wrapper around it would cost git the time that this
  # saves; and one whose first line were changed would be left as it is. That line has a length that it must not exceed.
  dontWrapPythonPrograms = true;
  dontPatchShebangs = true;
  postInstall = ''
    environment=$out/libexec
    mkdir -p $environment/bin
    mv $out/bin/git-credential-hf $environment/bin/
    ln -s $environment/bin/git-credential-hf $out/bin/git-credential-hf
    mv $out/lib $environment/lib
    ln -s libexec/lib $out/lib
    ln -s ${python3.interpreter} $environment/bin/python${python3.pythonVersion}
    echo "home = ${python3}/bin" >$environment/pyvenv.cfg
    printf '%s\n' ${
      lib.concatMapStringsSep " " (package: "${package}/${python3.sitePackages}") (
        python3.pkgs.requiredPythonModules dependencies
      )
    } >$out/${python3.sitePackages}/git-credential-hf.pth
  '';
  # In the store every file is of the first second of 1970, which is what bytecode has to be of.
  postFixup = ''
    find $out/${python3.sitePackages}/git_credential_hf -name '*.py' -exec touch -d @1 {} +
    ${python3.interpreter} -m compileall -q -f --invalidation-mode timestamp $out/${python3.sitePackages}/git_credential_hf
    $out/bin/git-credential-hf --version # which leaves a bundle of the bytecode, and its launcher
    grep -q '^#!.*/lib/git-credential-hf/python ' $out/bin/git-credential-hf
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
