# Completion of the command engine for bash: generated from its parser.
_engine_files() {  # files with these extensions, or all, except those of a pattern
  local IFS=$'\n' excluded=$1 extension name
  shift
  compopt -o filenames 2>/dev/null
  if (($# == 0)); then
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  COMPREPLY=($(compgen -d -- "$current"))
  for extension in "$@"; do
    for name in $(compgen -f -X "!*.$extension" -- "$current"); do
      [[ -n $excluded && $name == $excluded ]] || COMPREPLY+=("$name")
    done
  done
}

_engine() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command= word given=-1
  COMPREPLY=()
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $command:$word in :run|:preview|:validate|:graph|:plan|:test|:snaps|:functions|:eval|:format|:lsp|:schema|:new|:serve|:tasks|:token|:openapi|:tap|:history|:executor|:import|:export|:coverage|:completion) command=$word ;; esac
    if [[ -n $command && $word != -* ]]; then ((given += 1)); fi
  done
  case $command:$previous in
    run:--param) :; return ;;
    run:--param-file) _engine_files ''; return ;;
    run:--input) _engine_files ''; return ;;
    run:--workers) :; return ;;
    run:--on) :; return ;;
    run:--resources) :; return ;;
    run:--timeout) :; return ;;
    run:--to) :; return ;;
    run:--limit) :; return ;;
    run:--tap) :; return ;;
    run:--tap-limit) :; return ;;
    run:--filter) :; return ;;
    run:--tap-file) _engine_files ''; return ;;
    run:--report) _engine_files ''; return ;;
    run:--html) _engine_files ''; return ;;
    run:--project) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")); return ;;
    run:--timezone) :; return ;;
    preview:--to) :; return ;;
    preview:--from) :; return ;;
    preview:--doc) :; return ;;
    preview:--limit) :; return ;;
    preview:--show) :; return ;;
    preview:--input) :; return ;;
    preview:--param) :; return ;;
    preview:--param-file) _engine_files ''; return ;;
    preview:--timezone) :; return ;;
    validate:--format) COMPREPLY=($(compgen -W 'text json github' -- "$current")); return ;;
    graph:-o|graph:--output) _engine_files ''; return ;;
    graph:--report) _engine_files ''; return ;;
    plan:--workers) :; return ;;
    plan:--on) :; return ;;
    plan:--resources) :; return ;;
    test:-k) :; return ;;
    test:-j) :; return ;;
    test:--junit) _engine_files ''; return ;;
    test:--lcov) _engine_files ''; return ;;
    test:--fail-under) :; return ;;
    test:--record) _engine_files '*.test.y*ml' yaml yml slp; return ;;
    test:--input) _engine_files ''; return ;;
    test:--name) :; return ;;
    test:--param) :; return ;;
    test:--param-file) _engine_files ''; return ;;
    eval:--doc) _engine_files ''; return ;;
    eval:--param) :; return ;;
    eval:--param-file) _engine_files ''; return ;;
    eval:--library) _engine_files ''; return ;;
    eval:--timezone) :; return ;;
    schema:-o|schema:--output) _engine_files ''; return ;;
    schema:--all) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")); return ;;
    serve:--port) :; return ;;
    serve:--host) :; return ;;
    serve:--param) :; return ;;
    serve:--param-file) _engine_files ''; return ;;
    serve:--instances) :; return ;;
    serve:--allow-origin) :; return ;;
    serve:--allow-host) :; return ;;
    serve:--tls-cert) _engine_files ''; return ;;
    serve:--tls-key) _engine_files ''; return ;;
    serve:--tls-client-ca) _engine_files ''; return ;;
    serve:--trust-proxy) :; return ;;
    serve:--admin-port) :; return ;;
    serve:--admin-host) :; return ;;
    serve:--admin-tokens) _engine_files ''; return ;;
    serve:--errors) COMPREPLY=($(compgen -W 'full terse' -- "$current")); return ;;
    serve:--log-format) COMPREPLY=($(compgen -W 'text json' -- "$current")); return ;;
    serve:--access-log) _engine_files ''; return ;;
    serve:--drain-delay) :; return ;;
    serve:--state) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")); return ;;
    serve:--site) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")); return ;;
    tasks:--server) :; return ;;
    token:--name) :; return ;;
    token:--expires) :; return ;;
    openapi:--server) :; return ;;
    openapi:-o|openapi:--output) _engine_files ''; return ;;
    tap:--filter) :; return ;;
    tap:--limit) :; return ;;
    tap:--server) :; return ;;
    history:--state) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")); return ;;
    history:--runs) :; return ;;
    executor:--port) :; return ;;
    executor:--token-file) _engine_files ''; return ;;
    executor:--host) :; return ;;
    executor:--sessions) :; return ;;
    import:-o|import:--output) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")); return ;;
    export:-o|export:--output) _engine_files ''; return ;;
  esac
  if [[ $current == -* ]]; then
    case $command in
      run) COMPREPLY=($(compgen -W '-h --help --param --param-file --input --workers --on --resources --timeout --to --limit --dry-run --tap --tap-limit --filter --tap-file --break-on-error --watch --quiet --report --html --project --timezone --debug' -- "$current")) ;;
      preview) COMPREPLY=($(compgen -W '-h --help --to --from --doc --limit --show --input --param --param-file --allow-rest --allow-sql --no-cache --watch --json --timezone' -- "$current")) ;;
      validate) COMPREPLY=($(compgen -W '-h --help --format' -- "$current")) ;;
      graph) COMPREPLY=($(compgen -W '-h --help -o --output --report' -- "$current")) ;;
      plan) COMPREPLY=($(compgen -W '-h --help --workers --on --resources' -- "$current")) ;;
      test) COMPREPLY=($(compgen -W '-h --help -k -x -j --update --junit --coverage --lcov --fail-under --record --input --name --param --param-file' -- "$current")) ;;
      snaps) COMPREPLY=($(compgen -W '-h --help --json' -- "$current")) ;;
      functions) COMPREPLY=($(compgen -W '-h --help --json' -- "$current")) ;;
      eval) COMPREPLY=($(compgen -W '-h --help --doc --param --param-file --null-safe --library --timezone' -- "$current")) ;;
      format) COMPREPLY=($(compgen -W '-h --help --check' -- "$current")) ;;
      lsp) COMPREPLY=($(compgen -W '-h --help --stdio --verbose' -- "$current")) ;;
      schema) COMPREPLY=($(compgen -W '-h --help -o --output --all' -- "$current")) ;;
      new) COMPREPLY=($(compgen -W '-h --help' -- "$current")) ;;
      serve) COMPREPLY=($(compgen -W '-h --help --port --host --param --param-file --instances --allow-origin --allow-host --tls-cert --tls-key --tls-client-ca --trust-proxy --admin-port --admin-host --admin-tokens --errors --log-format --access-log --drain-delay --state --site' -- "$current")) ;;
      tasks) COMPREPLY=($(compgen -W '-h --help --json --ready --server' -- "$current")) ;;
      token) COMPREPLY=($(compgen -W '-h --help --name --expires' -- "$current")) ;;
      openapi) COMPREPLY=($(compgen -W '-h --help --server -o --output' -- "$current")) ;;
      tap) COMPREPLY=($(compgen -W '-h --help --filter --limit --json --server' -- "$current")) ;;
      history) COMPREPLY=($(compgen -W '-h --help --state --runs' -- "$current")) ;;
      executor) COMPREPLY=($(compgen -W '-h --help --port --token-file --host --sessions' -- "$current")) ;;
      import) COMPREPLY=($(compgen -W '-h --help -o --output --force --json' -- "$current")) ;;
      export) COMPREPLY=($(compgen -W '-h --help -o --output --force' -- "$current")) ;;
      coverage) COMPREPLY=($(compgen -W '-h --help --json' -- "$current")) ;;
      completion) COMPREPLY=($(compgen -W '-h --help' -- "$current")) ;;
      *) COMPREPLY=($(compgen -W '--help --version' -- "$current")) ;;
    esac
    return
  fi
  case $command:$given in
    :*) COMPREPLY=($(compgen -W 'run preview validate graph plan test snaps functions eval format lsp schema new serve tasks token openapi tap history executor import export coverage completion' -- "$current")) ;;
    run:*) _engine_files '*.test.y*ml' yaml yml slp ;;
    preview:*) _engine_files '*.test.y*ml' yaml yml slp ;;
    validate:*) _engine_files '' ;;
    graph:*) _engine_files '*.test.y*ml' yaml yml slp ;;
    plan:*) _engine_files '*.test.y*ml' yaml yml slp ;;
    test:*) _engine_files '' ;;
    snaps:*) : ;;
    functions:*) : ;;
    eval:*) : ;;
    format:*) _engine_files '' ;;
    schema:*) COMPREPLY=($(compgen -W 'pipeline task account test pins' -- "$current")) ;;
    new:0) COMPREPLY=($(compgen -W 'pipeline snap task test project' -- "$current")) ;;
    new:1) : ;;
    serve:*) _engine_files '' ;;
    tasks:0) COMPREPLY=($(compgen -W 'pause resume drain reload run history plan counts events' -- "$current")) ;;
    tasks:1) : ;;
    token:*) COMPREPLY=($(compgen -W 'new' -- "$current")) ;;
    openapi:*) _engine_files '' ;;
    tap:*) : ;;
    history:*) _engine_files '' yaml yml ;;
    import:*) _engine_files '' ;;
    export:*) _engine_files '*.test.y*ml' yaml yml slp ;;
    coverage:*) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")) ;;
    completion:*) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$current")) ;;
  esac
}
complete -F _engine engine
