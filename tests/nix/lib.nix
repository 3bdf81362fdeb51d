# As much of nixpkgs' lib as the modules use, so that they are evaluated without it: the same names, and the same
# meaning for what they are given here.
let
  inherit (builtins)
    all
    any
    attrNames
    attrValues
    concatMap
    concatStringsSep
    elem
    filter
    foldl'
    hasAttr
    head
    isAttrs
    isBool
    isFloat
    isFunction
    isInt
    isList
    isPath
    isString
    length
    listToAttrs
    mapAttrs
    match
    removeAttrs
    replaceStrings
    sort
    stringLength
    substring
    ;

  isA = kind: value: isAttrs value && value._type or null == kind;
  if' = condition: content: {
    _type = "if";
    inherit condition content;
  };

  # A definition as a list of those that it is made of: conditions are handed down first, since what they say may
  # depend on what stands below them, and decided on at an option.
  push =
    definition:
    if isA "if" definition then
      map (mapAttrs (_: if' definition.condition)) (push definition.content)
    else if isA "merge" definition then
      concatMap push definition.contents
    else
      [ definition ];
  discharge =
    definition:
    if isA "if" definition then
      if definition.condition then discharge definition.content else [ ]
    else if isA "merge" definition then
      concatMap discharge definition.contents
    else
      [ definition ];
  chosen =
    definitions:
    let
      all' = concatMap discharge definitions;
      firm = filter (one: !isA "default" one) all';
      order = one: if isA "order" one then one.order else 1000;
    in
    if firm == [ ] then
      map (one: one.content) all'
    else
      map (one: if isA "order" one then one.content else one) (sort (a: b: order a < order b) firm);

  name = place: concatStringsSep "." place;
  type = name': check: merge: {
    inherit check;
    merge =
      place: values:
      if all check values then merge place values else throw "${name place} is not of type ${name'}";
  };
  one =
    place: values:
    if all (value: value == head values) values then head values else throw "${name place} is defined twice";

  types = rec {
    str = type "string" isString one;
    bool = type "boolean" isBool one;
    int = type "integer" isInt one;
    float = type "float" isFloat one;
    package = type "package" (value: isString value || isAttrs value) one;
    path = type "path" (value: isPath value || (isString value && substring 0 1 value == "/")) one;
    lines = type "lines" isString (_: concatStringsSep "\n");
    enum = values: type "enum" (value: elem value values) one;
    either =
      a: b:
      type "either" (value: a.check value || b.check value) (
        place: values: (if all a.check values then a else b).merge place values
      );
    nullOr =
      other:
      type "null or another" (value: value == null || other.check value) (
        place: values: if all (value: value == null) values then null else other.merge place values
      );
    listOf =
      element:
      type "list" isList (
        place: values: map (value: element.merge place [ value ]) (concatMap (value: value) values)
      );
    attrsOf =
      element:
      type "attribute set" isAttrs (
        place: values:
        let
          of = key: chosen (map (value: value.${key}) (filter (hasAttr key) values));
          keys = filter (key: of key != [ ]) (concatMap attrNames values);
        in
        listToAttrs (
          map (key: {
            name = key;
            value = element.merge (place ++ [ key ]) (of key);
          }) keys
        )
      );
    submodule = module: type "submodule" isAttrs (place: values: evaluated place module.options values);
    anything =
      type "anything" (_: true)
        (
          place: values:
          if all isAttrs values then
            (attrsOf anything).merge place values
          else if all isList values then
            concatMap (value: value) values
          else
            one place values
        );
  };

  evaluated =
    place: options: definitions:
    let
      here = concatMap push definitions;
      unknown = filter (key: !hasAttr key options) (concatMap attrNames here);
      value =
        key: option:
        let
          below = map (definition: definition.${key}) (filter (hasAttr key) here);
          values = chosen below;
        in
        if !isA "option" option then
          evaluated (place ++ [ key ]) option below
        else if values != [ ] then
          option.type.merge (place ++ [ key ]) values
        else
          option.default or (throw "${name (place ++ [ key ])} is used but not defined");
    in
    if unknown != [ ] then
      throw "there is no option ${name (place ++ [ (head unknown) ])}"
    else
      mapAttrs value options;

  mergedOptions =
    a: b:
    a
    // mapAttrs (
      key: value: if hasAttr key a && !isA "option" value then mergedOptions a.${key} value else value
    ) b;

  lib = rec {
    inherit
      all
      attrValues
      concatMap
      concatStringsSep
      filter
      length
      mapAttrs
      removeAttrs
      replaceStrings
      types
      ;
    mkOption = option: { _type = "option"; } // option;
    mkEnableOption =
      what:
      mkOption {
        type = types.bool;
        default = false;
        description = "Whether to enable ${what}.";
      };
    mkIf = if';
    mkDefault = content: {
      _type = "default";
      inherit content;
    };
    mkForce = content: content;
    mkAfter = lib.mkOrder 1500;
    mkOrder = order: content: {
      _type = "order";
      inherit order content;
    };
    generators.toGitINI =
      sections:
      let
        text =
          value:
          if isBool value then
            (if value then "true" else "false")
          else if isInt value then
            toString value
          else
            "\"${replaceStrings [ "\\" "\"" ] [ "\\\\" "\\\"" ] value}\"";
        lines =
          header: settings:
          let
            keys = filter (key: !isAttrs settings.${key}) (attrNames settings);
            line = key: map (value: "\t${key} = ${text value}\n") (if isList settings.${key} then settings.${key} else [ settings.${key} ]);
          in
          if keys == [ ] then "" else "[${header}]\n${concatStringsSep "" (concatMap line keys)}";
        section =
          name:
          lines name sections.${name}
          + concatStringsSep "" (
            map (key: lines "${name} \"${key}\"" sections.${name}.${key}) (
              filter (key: isAttrs sections.${name}.${key}) (attrNames sections.${name})
            )
          );
      in
      concatStringsSep "" (map section (attrNames sections));
    literalExpression = text: text;
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: values: if condition then values else [ ];
    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    removePrefix =
      prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (stringLength text) text else text;
    filterAttrs =
      keeps: set: removeAttrs set (filter (key: !keeps key set.${key}) (attrNames set));
    genAttrs =
      keys: value:
      listToAttrs (
        map (key: {
          name = key;
          value = value key;
        }) keys
      );
    escapeShellArgs =
      words:
      concatStringsSep " " (
        map (
          word:
          if match "[[:alnum:],._+:@%/-]+" word != null then
            word
          else
            "'${replaceStrings [ "'" ] [ "'\\''" ] word}'"
        ) words
      );
    hm.dag.entryAfter = after: data: {
      inherit after data;
      before = [ ];
    };

    evalModules =
      {
        modules,
        specialArgs ? { },
      }:
      let
        loaded = map (
          module:
          let
            imported = if isPath module then import module else module;
            set = if isFunction imported then imported ({ inherit config lib; } // specialArgs) else imported;
          in
          if any (key: hasAttr key set) [
            "options"
            "config"
          ] then
            set
          else
            { config = set; }
        ) modules;
        options = foldl' mergedOptions { } (map (module: module.options or { }) loaded);
        config = evaluated [ ] options (map (module: module.config or { }) loaded);
      in
      {
        inherit config;
      };
  };
in
lib
