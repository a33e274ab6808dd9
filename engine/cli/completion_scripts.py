"""Generates the completion scripts of bash, zsh and fish from the command line's parser.

They are files of the package, since importing all commands for each new shell would take long.
`python -m engine.cli.completion_scripts` writes them; `--check` fails if one is out of date.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("completions")
_PIPELINES = ("yaml", "yml", "slp")
_YAML = ("yaml", "yml")
_EXTENSIONS = {"PIPELINE": _PIPELINES, "TASK": _YAML}
"""Extensions of the files that a placeholder in the help stands for."""

_TESTS = "*.test.y*ml"
"""Files of tests, which are no pipelines."""

_FILES = ("FILE", "PATH", "[NAME=]FILE", "JSON|FILE")
_FOLDERS = ("FOLDER",)


class Value(NamedTuple):
    """What completes a value: its choices, files with these extensions (empty: any), or folders.

    Files that match `excluded` are not offered.
    """

    name: str
    choices: Sequence[str] = ()
    extensions: Sequence[str] | None = None
    excluded: str = ""
    is_folder: bool = False


class Option(NamedTuple):
    """An option; `value` is None for a switch."""

    names: Sequence[str]
    help: str
    value: Value | None
    is_repeatable: bool


class Command(NamedTuple):
    """A command; the last of its `arguments` may be repeated."""

    name: str
    help: str
    options: Sequence[Option]
    arguments: Sequence[Value]
    is_repeatable: bool


def commands_of(parser: argparse.ArgumentParser) -> list[Command]:
    """The commands of a parser that has all their arguments."""
    for action in parser._actions:  # argparse offers no other list
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            return [
                _command(name, helps[name], each._actions) for name, each in action.choices.items()
            ]
    return []


def _command(name: str, text: str, actions: Sequence[argparse.Action]) -> Command:
    positional = [action for action in actions if not action.option_strings]
    return Command(
        name,
        text,
        [_option(action) for action in actions if action.option_strings],
        [_value(action) for action in positional],
        bool(positional) and positional[-1].nargs in ("+", "*"),
    )


def _option(action: argparse.Action) -> Option:
    is_switch = action.nargs == 0
    text = action.help or ""
    repeatable = isinstance(action, argparse._AppendAction)
    return Option(action.option_strings, text, None if is_switch else _value(action), repeatable)


def _value(action: argparse.Action) -> Value:
    name = action.metavar if isinstance(action.metavar, str) else action.dest
    if action.choices:
        return Value(name, choices=list(map(str, action.choices)))
    if name in _FOLDERS:
        return Value(name, is_folder=True)
    if name in _FILES:
        return Value(name, extensions=())
    excluded = _TESTS if name == "PIPELINE" else ""
    return Value(name, extensions=_EXTENSIONS.get(name), excluded=excluded)


def bash(commands: Sequence[Command]) -> str:
    names = [command.name for command in commands]
    lines = [
        "# Completion of the command engine for bash: generated from its parser.",
        "_engine_files() {  # files with these extensions, or all, except those of a pattern",
        "  local IFS=$'\\n' excluded=$1 extension name",
        "  shift",
        "  compopt -o filenames 2>/dev/null",
        "  if (($# == 0)); then",
        '    COMPREPLY=($(compgen -f -- "$current"))',
        "    return",
        "  fi",
        '  COMPREPLY=($(compgen -d -- "$current"))',
        '  for extension in "$@"; do',
        '    for name in $(compgen -f -X "!*.$extension" -- "$current"); do',
        '      [[ -n $excluded && $name == $excluded ]] || COMPREPLY+=("$name")',
        "    done",
        "  done",
        "}",
        "",
        "_engine() {",
        "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}",
        "  local command= word given=-1",
        "  COMPREPLY=()",
        "  if [[ $current == = ]]; then",
        "    current=",
        "  elif [[ $previous == = ]]; then",
        "    previous=${COMP_WORDS[COMP_CWORD - 2]}",
        "  fi",
        '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        f"    case $command:$word in :{'|:'.join(names)}) command=$word ;; esac",
        "    if [[ -n $command && $word != -* ]]; then ((given += 1)); fi",
        "  done",
        "  case $command:$previous in",
    ]
    for command in commands:
        for option in command.options:
            if option.value is not None:
                cases = "|".join(f"{command.name}:{name}" for name in option.names)
                lines.append(f"    {cases}) {_bash_value(option.value)}; return ;;")
    lines += ["  esac", "  if [[ $current == -* ]]; then", "    case $command in"]
    for command in commands:
        lines.append(f"      {command.name}) {_bash_words(_option_names(command))} ;;")
    lines += [
        f"      *) {_bash_words(['--help', '--version'])} ;;",
        "    esac",
        "    return",
        "  fi",
    ]
    lines += ["  case $command:$given in", f"    :*) {_bash_words(names)} ;;"]
    for command in commands:
        lines += _bash_arguments(command)
    lines += ["  esac", "}", "complete -F _engine engine"]
    return "\n".join(lines) + "\n"


def _bash_arguments(command: Command) -> Iterator[str]:
    for place, value in enumerate(command.arguments):
        number = place if len(command.arguments) > 1 else "*"  # values of options count, too
        yield f"    {command.name}:{number}) {_bash_value(value)} ;;"


def _bash_value(value: Value) -> str:
    if value.choices:
        return _bash_words(value.choices)
    if value.is_folder:
        return 'compopt -o filenames; COMPREPLY=($(compgen -d -- "$current"))'
    if value.extensions is not None:
        return " ".join(["_engine_files", f"'{value.excluded}'", *value.extensions])
    return ":"


def _bash_words(words: Sequence[str]) -> str:
    return f"COMPREPLY=($(compgen -W '{' '.join(words)}' -- \"$current\"))"


def _option_names(command: Command) -> list[str]:
    return [name for option in command.options for name in option.names]


def zsh(commands: Sequence[Command]) -> str:
    lines = [
        "#compdef engine",
        "# Completion of the command engine for zsh: generated from its parser.",
        "_engine() {",
        "  local curcontext=$curcontext state line",
        "  typeset -A opt_args",
        "  _arguments -C '(- *)'{-h,--help}'[show the help]' '(- *)--version[show the version]' \\",
        "    '1:command:->command' '*::argument:->argument'",
        "  case $state in",
        "    command)",
        "      local -a commands",
        "      commands=(",
        *(f"        '{each.name}:{_in_quotes(each.help)}'" for each in commands),
        "      )",
        "      _describe command commands",
        "      ;;",
        "    argument)",
        "      case $words[1] in",
    ]
    for command in commands:
        specs = [*map(_zsh_option, command.options), *_zsh_arguments(command)]
        lines += [f"        {command.name})", "          _arguments -S \\"]
        lines += [f"            {spec} \\" for spec in specs[:-1]]
        lines += [f"            {specs[-1]}", "          ;;"]
    lines += ["      esac", "      ;;", "  esac", "}"]
    lines += [
        'if [[ $funcstack[1] == _engine ]]; then _engine "$@"; else compdef _engine engine; fi'
    ]
    return "\n".join(lines) + "\n"


def _zsh_option(option: Option) -> str:
    text = f"[{_zsh_escaped(option.help)}]{_zsh_value(option.value) if option.value else ''}"
    repeated = "'*'" if option.is_repeatable else f"'({' '.join(option.names)})'"
    names = option.names[0] if len(option.names) == 1 else f"{{{','.join(option.names)}}}"
    return f"{repeated}{names}'{text}'"


def _zsh_arguments(command: Command) -> Iterator[str]:
    for place, value in enumerate(command.arguments, 1):
        is_last = place == len(command.arguments)
        number = "*" if command.is_repeatable and is_last else place
        yield f"'{number}{_zsh_value(value)}'"


def _zsh_value(value: Value) -> str:
    name = _zsh_escaped(value.name)
    if value.choices:
        return f":{name}:({' '.join(value.choices)})"
    if value.is_folder:
        return f":{name}:_files -/"
    if value.extensions:
        excluded = f' -F "{value.excluded}"' if value.excluded else ""
        return f':{name}:_files{excluded} -g "*.({"|".join(value.extensions)})(-.)"'
    return f":{name}:{'_files' if value.extensions is not None else ' '}"


def _zsh_escaped(text: str) -> str:
    for character in "\\[]:":
        text = text.replace(character, f"\\{character}")
    return _in_quotes(text)


def _in_quotes(text: str) -> str:
    return text.replace("'", "'\\''")


def fish(commands: Sequence[Command]) -> str:
    lines = [
        "# Completion of the command engine for fish: generated from its parser.",
        "complete -c engine -f",
        "complete -c engine -n __fish_use_subcommand -s h -l help -d 'show the help'",
        "complete -c engine -n __fish_use_subcommand -l version -d 'show the version'",
    ]
    lines += [
        f"complete -c engine -n __fish_use_subcommand -a {each.name} -d {_fish_quoted(each.help)}"
        for each in commands
    ]
    for command in commands:
        start = f"complete -c engine -n '__fish_seen_subcommand_from {command.name}'"
        lines += [f"{start} {_fish_option(option)}" for option in command.options]
        lines += [
            f"{start} {_fish_value(value)}" for value in command.arguments if _fish_value(value)
        ]
    return "\n".join(lines) + "\n"


def _fish_option(option: Option) -> str:
    names = [
        f"-l {each[2:]}" if each.startswith("--") else f"-s {each[1:]}" for each in option.names
    ]
    value = f"-x {_fish_value(option.value)}".rstrip() if option.value else ""
    value = value.replace("-x -F", "-r -F")  # -x means: without files
    return " ".join(part for part in (*names, value, f"-d {_fish_quoted(option.help)}") if part)


def _fish_value(value: Value) -> str:
    if value.choices:
        return f"-a {_fish_quoted(' '.join(value.choices))}"
    if value.is_folder:
        return "-a '(__fish_complete_directories)'"
    if value.extensions is None:
        return ""
    if not value.extensions:
        return "-F"
    found = "; ".join(f"__fish_complete_suffix .{extension}" for extension in value.extensions)
    if value.excluded:  # a path, a tab and a description
        found = f'begin; {found}; end | string match -v "{value.excluded}*"'
    return f"-k -a '({found})'"


def _fish_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


SHELLS: dict[str, Callable[[Sequence[Command]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}


def scripts() -> dict[str, str]:
    """The script for each shell, by the name of its file."""
    from engine.cli import build_parser  # it imports the modules of all commands

    commands = commands_of(build_parser())
    return {f"engine.{shell}": generate(commands) for shell, generate in SHELLS.items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.cli.completion_scripts")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if out of date")
    is_check = parser.parse_args().check
    stale = [
        name
        for name, text in scripts().items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]
    for name in stale:
        if is_check:
            print(f"{name} is out of date; run python -m engine.cli.completion_scripts")
        else:
            (FOLDER / name).write_text(scripts()[name], encoding="utf-8")
    return int(is_check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
