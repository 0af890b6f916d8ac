"""`comanda completion`: what a shell reads so that the Tab key knows our words."""

import sys
from enum import StrEnum
from typing import Annotated

import typer


class Shell(StrEnum):
    """A shell that can be taught."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


# Each asks the command itself, by the protocol of the library that it is made with: so the words
# are always those of the installed version.
_SCRIPTS = {
    Shell.BASH: """\
_comanda_completion() {
    local IFS=$'\\n'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" \\
        _COMANDA_COMPLETE=complete_bash "$1" ) )
}
complete -o default -F _comanda_completion comanda
""",
    Shell.ZSH: """\
#compdef comanda
_comanda_completion() {
  eval "$(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" \\
    _COMANDA_COMPLETE=complete_zsh "${words[1]}")"
}
compdef _comanda_completion comanda
""",
    Shell.FISH: """\
function __comanda_ask
    env _COMANDA_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=$argv[1] \\
        _TYPER_COMPLETE_ARGS=(commandline -cp) comanda
end
complete --command comanda --no-files --arguments '(__comanda_ask get-args)' \\
    --condition '__comanda_ask is-args'
""",
}


def completion(shell: Annotated[Shell, typer.Argument(help="Which shell.")]) -> None:
    """Write what teaches a shell our commands.

    Example: source <(comanda completion bash)
    """
    sys.stdout.write(_SCRIPTS[shell])
