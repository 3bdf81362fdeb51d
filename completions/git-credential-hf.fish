# fish completion for git-credential-hf

set -l commands seed configure unconfigure status forget get store erase capability
set -l none "not __fish_seen_subcommand_from $commands"

complete -c git-credential-hf -f

complete -c git-credential-hf -n $none -a seed -d 'Put tokens into the keyring and the token cache'
complete -c git-credential-hf -n $none -a configure -d 'Make git use the helper for huggingface.co'
complete -c git-credential-hf -n $none -a unconfigure -d 'Take that back'
complete -c git-credential-hf -n $none -a status -d 'Tell which credential git would use'
complete -c git-credential-hf -n $none -a forget -d 'Remove what seed and store put away'
complete -c git-credential-hf -n $none -a 'get store erase capability' -d 'What git runs'

complete -c git-credential-hf -n $none -l host -x -d 'Answer for this host too'
complete -c git-credential-hf -n $none -l timeout -x -d 'The whole time that the keyring may take'
complete -c git-credential-hf -n $none -l sources -x -a 'env keyring file' -d 'Ask only these'
complete -c git-credential-hf -n $none -l unlock -x -a 'never auto prompt' -d 'What may be done about a locked keyring'
complete -c git-credential-hf -n $none -l no-prompt -d 'Where there is no token, let nothing ask for one'
complete -c git-credential-hf -n $none -l refresh -d 'Let hf renew a login that has ended'
complete -c git-credential-hf -n $none -l version -d 'Tell which version it is'
complete -c git-credential-hf -n 'not __fish_seen_subcommand_from get store erase capability' -l help -d 'Tell how it is used'

set -l seed '__fish_seen_subcommand_from seed'
complete -c git-credential-hf -n $seed -l from -r -F -d 'Where the token is'
complete -c git-credential-hf -n $seed -l scope -x -d 'The part of the Hub that it is for'
complete -c git-credential-hf -n $seed -l user -x -d 'Whose token it is'
complete -c git-credential-hf -n $seed -l host -x -d 'The host that it is for'
complete -c git-credential-hf -n $seed -l no-keyring -d 'Leave the keyring alone'
complete -c git-credential-hf -n $seed -l no-cache -d 'Leave the token cache alone'
complete -c git-credential-hf -n $seed -l require-keyring -d 'Exit with 3 where the keyring could not be filled'
complete -c git-credential-hf -n $seed -l optional -d 'A source that is missing is fine'
complete -c git-credential-hf -n $seed -l strict -d 'Change nothing where a line would warn of the source'
complete -c git-credential-hf -n $seed -l force -d 'Write even what is there already'
complete -c git-credential-hf -n $seed -l git-lfs -d 'Also set up git-lfs'
complete -c git-credential-hf -n $seed -l timeout -x -d 'The whole time that the keyring may take'
complete -c git-credential-hf -n $seed -l unlock -x -a 'never auto prompt' -d 'What to do about a locked keyring'
complete -c git-credential-hf -n $seed -l dry-run -d 'Say what would be done'
complete -c git-credential-hf -n $seed -l quiet -d 'Say nothing when all is well'

set -l place '__fish_seen_subcommand_from configure unconfigure'
complete -c git-credential-hf -n $place -l global -d 'Your configuration'
complete -c git-credential-hf -n $place -l local -d 'The configuration of this repository'
complete -c git-credential-hf -n $place -l file -r -F -d 'This file'
complete -c git-credential-hf -n '__fish_seen_subcommand_from configure' -l git-lfs -d 'Also set up git-lfs'

set -l status_ '__fish_seen_subcommand_from status'
complete -c git-credential-hf -n $status_ -l json -d 'For programs'
complete -c git-credential-hf -n $status_ -l online -d 'Also ask the Hub'
complete -c git-credential-hf -n $status_ -l probe -d 'Also ask the helpers that git would run'
complete -c git-credential-hf -n $status_ -l quiet -d 'Say only what keeps git from a token'

set -l forget '__fish_seen_subcommand_from forget'
complete -c git-credential-hf -n $forget -l scope -x -d 'Only what is for this part of the Hub'
complete -c git-credential-hf -n $forget -l user -x -d 'Only what is for this user'
complete -c git-credential-hf -n $forget -l host -x -d 'The host'
complete -c git-credential-hf -n $forget -l yes -d 'Do not ask'
