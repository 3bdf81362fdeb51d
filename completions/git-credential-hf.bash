# bash completion for git-credential-hf

__git_credential_hf() {
    local current=$2 previous=$3 command='' words='' index

    for ((index = 1; index < COMP_CWORD; index++)); do
        case ${COMP_WORDS[index]} in
            --host | --timeout | --sources | --unlock) ((index++)) ;;
            -* | = | :) ;;
            *)
                command=${COMP_WORDS[index]}
                break
                ;;
        esac
    done

    case $previous in
        --from | --file)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
            ;;
        --unlock) words='never auto prompt' ;;
        --sources) words='env keyring file' ;;
        --host) words='huggingface.co' ;;
        --scope | --user | --timeout) return ;;
        *)
            case $command in
                '')
                    words='seed configure unconfigure status forget get store erase capability
                        --host --timeout --sources --unlock --no-prompt --refresh --help --version'
                    ;;
                seed)
                    words='--from --scope --user --host --no-keyring --no-cache --require-keyring --optional --strict
                        --force --git-lfs --timeout --unlock --dry-run --quiet --help'
                    ;;
                configure) words='--global --local --file --git-lfs --help' ;;
                unconfigure) words='--global --local --file --help' ;;
                status) words='--json --online --probe --quiet --help' ;;
                forget) words='--scope --user --host --yes --help' ;;
            esac
            ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F __git_credential_hf git-credential-hf
