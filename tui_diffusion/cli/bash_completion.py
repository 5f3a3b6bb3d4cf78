"""Completion in bash: the script, and the line in ``.bashrc`` that reads it.

Bash also splits words at = and :, so click's own script would see ``training.loss=mse`` as three
words. This script needs no other package, such as one that loads completions on demand.
"""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path

from click.shell_completion import BashComplete

_SCRIPT = r"""
%(complete_func)s() {
    local i word count=-1 words="" whole="" before="" type value
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        # Bash has split the word at = and : (COMP_WORDBREAKS).
        if ((i > 1)) && [[ $word =~ ^[=:]+$ ||
            ( -n $word && ${COMP_WORDS[i-1]} =~ ^[=:]+$ ) ]]; then
            before=$whole whole+=$word
            [[ $word =~ ^[=:]+$ ]] && before=$whole
            words+=$word
        else
            before="" whole=$word
            words+=" $word"
            ((++count))
        fi
    done
    # It completes what is behind the last = or : alone.
    [[ $before == -*=* ]] && before=${before#*=}
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames 2> /dev/null ;;
            file) compopt -o default 2> /dev/null ;;
            plain)
                printf -v value %%q "${value#"$before"}"
                COMPREPLY+=("$value")
                ;;
        esac
    done < <(env COMP_WORDS="$words" COMP_CWORD="$count" %(complete_var)s=bash_complete "$1")
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2> /dev/null
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2> /dev/null ||
    complete -F %(complete_func)s %(prog_name)s
"""


class BashCompletion(BashComplete):
    """Click's completion class with this package's script."""

    source_template = _SCRIPT


def read_at_start(script: Path) -> str:
    """Make ``.bashrc`` read the script unless it does; return the next step for the user, or ''."""
    startup = Path.home() / ".bashrc"
    line = f"[ -r {shlex.quote(str(script))} ] && . {shlex.quote(str(script))}"
    with suppress(OSError):
        # Follow a link, but do not open a pipe: reading it would block.
        if not startup.exists() or startup.is_file():
            with startup.open("a+", encoding="utf-8", errors="surrogateescape") as file:
                file.seek(0)
                text = file.read()
                if line in text.splitlines():
                    return "start another bash"
                gap = "" if not text or text.endswith("\n") else "\n"
                file.write(f"{gap}{line}\n")
            return f"{startup} reads it; start another bash"
    return f"put into .bashrc: {line}"
