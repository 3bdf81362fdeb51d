{
  description = "A git credential helper for Hugging Face";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    {
      packages = nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
        system:
        let
          git-credential-hf = nixpkgs.legacyPackages.${system}.callPackage ./nix/package.nix { };
        in
        {
          inherit git-credential-hf;
          default = git-credential-hf;
        }
      );
      overlays.default = final: _: { git-credential-hf = final.callPackage ./nix/package.nix { }; };
      homeManagerModules.default.imports = [ ./nix/home-manager.nix ];
      nixosModules.default.imports = [ ./nix/nixos.nix ];
    };
}
