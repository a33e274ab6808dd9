#compdef engine
# Completion of the command engine for zsh: generated from its parser.
_engine() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C '(- *)'{-h,--help}'[show the help]' '(- *)--version[show the version]' \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands
      commands=(
        'run:run a pipeline'
        'preview:show what a pipeline makes of its first documents'
        'validate:check pipeline and task files without running them'
        'graph:draw a pipeline'
        'plan:show how a pipeline would run on several cores'
        'test:run the cases of test files'
        'snaps:list the installed snaps, or explain one'
        'functions:list the functions of expressions, or explain one'
        'eval:evaluate an expression, or open a prompt'
        'format:indent and space pipeline, task, test and account files'
        'lsp:serve editors that speak the Language Server Protocol'
        'schema:print a JSON Schema for editors that complete and check files'
        'new:write a new pipeline, snap, task, test or project'
        'serve:host pipelines as tasks'
        'tasks:show and steer the tasks that run on this machine'
        'token:make a bearer token for the callers of a task'
        'openapi:print the OpenAPI document of tasks'
        'tap:show documents that cross the links of a hosted task'
        'history:show the latest runs of a scheduled task'
        'executor:run scripts for engines on other hosts'
        'import:turn files exported from SnapLogic into a project'
        'export:write a pipeline as a file that SnapLogic can import'
        'coverage:show how much of a folder of exports would run here'
        'completion:print the script that completes commands in a shell'
      )
      _describe command commands
      ;;
    argument)
      case $words[1] in
        run)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '*'--param'[value of a pipeline parameter; may be repeated]:NAME=VALUE: ' \
            '*'--param-file'[parameter values\: a YAML or JSON map, or NAME=value lines (.env), in which names that the pipeline does not declare are ignored; --param takes precedence]:FILE:_files' \
            '(--input)'--input'[documents for the open input\: a JSON object, an array, or one object per line; - for standard input]:FILE:_files' \
            '(--workers)'--workers'[run parts of the pipeline in N worker processes, or in one per core (auto); '\''engine plan'\'' shows which (default\: 1, all in one process)]:N|auto: ' \
            '(--on)'--on'[start the workers on a Ray cluster, by default one for each of its CPUs; '\''ray'\'' is the cluster in RAY_ADDRESS, or else a new one on this machine (needs the extra '\''ray'\'')]:ray|ray\://HOST\:PORT: ' \
            '*'--resources'[what each worker that runs this snap needs of the cluster of --on, such as '\''predict=GPU\:1'\''; may be repeated (default\: CPU\:1)]:SNAP=NAME\:AMOUNT,...: ' \
            '(--timeout)'--timeout'[stop the run after this time; it counts as failed]:SECONDS: ' \
            '(--to)'--to'[run only this snap and those before it, and print what leaves it]:SNAP\[.VIEW\]: ' \
            '(--limit)'--limit'[documents to take from each source]:N: ' \
            '(--dry-run)'--dry-run'[do not run snaps that act on the outside, such as writers; say what they would do]' \
            '*'--tap'[show documents that leave this snap, or cross this view, while the pipeline runs; may be repeated, and have wildcards, as in '\''parse*'\'']:SNAP\[.VIEW\]: ' \
            '(--tap-limit)'--tap-limit'[documents to show of each tapped view; 0 shows all (default\: 10)]:N: ' \
            '(--filter)'--filter'[let taps show only documents for which this is true, such as '\''$total > 100'\'']:EXPRESSION: ' \
            '(--tap-file)'--tap-file'[write what taps show to FILE, as JSON lines (default\: standard error)]:FILE:_files' \
            '(--break-on-error)'--break-on-error'[stop at each document that fails, show it, and ask at the terminal what to do]' \
            '(--watch)'--watch'[run again whenever a file of the pipeline changes]' \
            '(--quiet)'--quiet'[show only documents, warnings and the reason if the run fails]' \
            '(--report)'--report'[write the run report as JSON to FILE]:FILE:_files' \
            '(--html)'--html'[write a page about the run to FILE\: graph, counts, times, errors, and the first documents of each link]:FILE:_files' \
            '(--project)'--project'[root of sldb\:/// (default\: the project of the pipeline file)]:FOLDER:_files -/' \
            '(--timezone)'--timezone'[time zone of expressions (default\: UTC)]:ZONE: ' \
            '(--debug)'--debug'[show the full traceback of an exception in the code of a snap]' \
            '1:PIPELINE:_files -F "*.test.y*ml" -g "*.(yaml|yml|slp)(-.)"'
          ;;
        preview)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--to)'--to'[run only this snap and those before it; show only this view of it]:SNAP\[.VIEW\]: ' \
            '(--from)'--from'[run only this snap and those after it, with what the last preview, or a pin file, has for it]:SNAP: ' \
            '(--doc)'--doc'[follow document N of the first source, or of those that leave SNAP, and all that comes from it]:\[SNAP\:\]N: ' \
            '(--limit)'--limit'[documents to take from each source (default\: 50)]:N: ' \
            '(--show)'--show'[documents to show of each link on a terminal (default\: 10)]:N: ' \
            '*'--input'[documents for an open input, as in '\''engine run'\''; may be repeated, with the name of the input (LABEL or LABEL.VIEW) if there are several]:\[VIEW=\]FILE: ' \
            '*'--param'[value of a pipeline parameter; may be repeated]:NAME=VALUE: ' \
            '*'--param-file'[parameter values\: a YAML or JSON map, or NAME=value lines (.env), in which names that the pipeline does not declare are ignored; --param takes precedence]:FILE:_files' \
            '(--allow-rest)'--allow-rest'[let snaps read from other hosts\: HTTP, S3]' \
            '(--allow-sql)'--allow-sql'[let snaps read from databases]' \
            '(--no-cache)'--no-cache'[run all snaps, even if nothing has changed since the last preview]' \
            '(--watch)'--watch'[preview again whenever a file of the pipeline changes, and mark what is different]' \
            '(--json)'--json'[print JSON lines, as in a pipe\: label, view, number and document]' \
            '(--timezone)'--timezone'[time zone of expressions (default\: UTC)]:ZONE: ' \
            '1:PIPELINE:_files -F "*.test.y*ml" -g "*.(yaml|yml|slp)(-.)"'
          ;;
        validate)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--format)'--format'[text for people (default), a JSON array, or annotations for GitHub Actions]:format:(text json github)' \
            '*:PATH:_files'
          ;;
        graph)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(-o --output)'{-o,--output}'[the file to write\: .svg, .html, .mmd or .json (default\: draw it here)]:FILE:_files' \
            '(--report)'--report'[show the counts of a run, from the report that '\''engine run --report FILE'\'' wrote]:FILE:_files' \
            '1:PIPELINE:_files -F "*.test.y*ml" -g "*.(yaml|yml|slp)(-.)"'
          ;;
        plan)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--workers)'--workers'[number of workers, or auto for one per core of this machine (default\: auto)]:N|auto: ' \
            '(--on)'--on'[start the workers on a Ray cluster, by default one for each of its CPUs; '\''ray'\'' is the cluster in RAY_ADDRESS, or else a new one on this machine (needs the extra '\''ray'\'')]:ray|ray\://HOST\:PORT: ' \
            '*'--resources'[what each worker that runs this snap needs of the cluster of --on, such as '\''predict=GPU\:1'\''; may be repeated (default\: CPU\:1)]:SNAP=NAME\:AMOUNT,...: ' \
            '1:PIPELINE:_files -F "*.test.y*ml" -g "*.(yaml|yml|slp)(-.)"'
          ;;
        test)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(-k)'-k'[run only cases whose name or file has WORD]:WORD: ' \
            '(-x)'-x'[stop after the first case that fails]' \
            '(-j)'-j'[run the cases in N processes (default\: 1)]:N: ' \
            '(--update)'--update'[write snapshots instead of comparing them]' \
            '(--junit)'--junit'[write the results as JUnit XML to FILE]:FILE:_files' \
            '(--coverage)'--coverage'[show how much of each pipeline the cases have run, and what they have not]' \
            '(--lcov)'--lcov'[write the coverage for lcov to FILE]:FILE:_files' \
            '(--fail-under)'--fail-under'[fail if less than PERCENT of the pipelines was run]:PERCENT: ' \
            '(--record)'--record'[run the pipeline once, and write what happened as a case of the test file beside it]:PIPELINE:_files -F "*.test.y*ml" -g "*.(yaml|yml|slp)(-.)"' \
            '(--input)'--input'[with --record\: documents for the open input (JSON or CSV)]:FILE:_files' \
            '(--name)'--name'[with --record\: the name of the case]:CASE: ' \
            '*'--param'[value of a pipeline parameter; may be repeated]:NAME=VALUE: ' \
            '*'--param-file'[parameter values\: a YAML or JSON map, or NAME=value lines (.env), in which names that the pipeline does not declare are ignored; --param takes precedence]:FILE:_files' \
            '*:PATH:_files'
          ;;
        snaps)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--json)'--json'[print everything as JSON]' \
            '*:NAME: '
          ;;
        functions)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--json)'--json'[print everything as JSON]' \
            '*:NAME: '
          ;;
        eval)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--doc)'--doc'[the document, `$` (default\: null)]:JSON|FILE:_files' \
            '*'--param'[value of a pipeline parameter; may be repeated]:NAME=VALUE: ' \
            '*'--param-file'[parameter values\: a YAML or JSON map, or NAME=value lines (.env), in which names that the pipeline does not declare are ignored; --param takes precedence]:FILE:_files' \
            '(--null-safe)'--null-safe'[treat missing fields as null]' \
            '*'--library'[an expression library (.expr), available as lib.NAME; may be repeated]:\[NAME=\]FILE:_files' \
            '(--timezone)'--timezone'[time zone of dates (default\: UTC)]:timezone: ' \
            '1:EXPRESSION: '
          ;;
        format)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--check)'--check'[write nothing, and exit with 1 if a file would change]' \
            '*:PATH:_files'
          ;;
        lsp)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--stdio)'--stdio'[talk over standard input and output (what it always does; many editors pass this)]' \
            '(--verbose)'--verbose'[log every message to standard error]'
          ;;
        schema)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(-o --output)'{-o,--output}'[write it to this file]:FILE:_files' \
            '(--all)'--all'[write the schemas of all kinds into this folder]:FOLDER:_files -/' \
            '1:KIND:(pipeline task account test pins)'
          ;;
        new)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '1:KIND:(pipeline snap task test project)' \
            '2:NAME: '
          ;;
        serve)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--port)'--port'[TCP port; 0 picks a free one (default\: 8080)]:port: ' \
            '(--host)'--host'[address to listen on (default\: this machine only)]:host: ' \
            '*'--param'[value of a pipeline parameter; may be repeated]:NAME=VALUE: ' \
            '*'--param-file'[parameter values\: a YAML or JSON map, or NAME=value lines (.env), in which names that the pipeline does not declare are ignored; --param takes precedence]:FILE:_files' \
            '(--instances)'--instances'[instances of each ultra task (default\: as in its file)]:N: ' \
            '*'--allow-origin'[allow calls from pages of this origin, such as https\://example.org; * allows all]:ORIGIN: ' \
            '*'--allow-host'[serve requests for this host name; * serves any (default\: only names of this machine if it listens there only, otherwise any)]:NAME: ' \
            '(--tls-cert)'--tls-cert'[serve https with this certificate chain (PEM)]:FILE:_files' \
            '(--tls-key)'--tls-key'[its key (PEM), unless it is in the file of --tls-cert]:FILE:_files' \
            '(--tls-client-ca)'--tls-client-ca'[callers must have a certificate of one of these authorities (PEM)]:FILE:_files' \
            '*'--trust-proxy'[believe what proxies in this network, such as 10.0.0.0/8, say about their callers (X-Forwarded-For and the like); repeatable]:NETWORK: ' \
            '(--admin-port)'--admin-port'[TCP port for operators\: see, pause, drain and reload tasks (default\: none; '\''engine tasks'\'' works without it)]:PORT: ' \
            '(--admin-host)'--admin-host'[address of the admin port (default\: this machine only)]:ADDRESS: ' \
            '(--admin-tokens)'--admin-tokens'[token file of the admin port, required unless it is on this machine only; make tokens with '\''engine token new'\'']:FILE:_files' \
            '(--errors)'--errors'[what callers learn of a failed request (default\: full on this machine, otherwise terse)]:errors:(full terse)' \
            '(--log-format)'--log-format'[format of the log lines]:log_format:(text json)' \
            '(--access-log)'--access-log'[write a line for each request; - for standard error]:FILE:_files' \
            '(--drain-delay)'--drain-delay'[on SIGTERM, keep accepting requests for this long, such as 5s, because a load balancer takes a while to notice (default\: until nobody is connected, at most 1s)]:TIME: ' \
            '(--state)'--state'[folder for the history of scheduled runs (default\: your state folder)]:FOLDER:_files -/' \
            '(--site)'--site'[also serve the files of this folder, index.html at /, so that a page can call a task]:FOLDER:_files -/' \
            '*:FILE:_files'
          ;;
        tasks)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--json)'--json'[print JSON, one line per server]' \
            '(--ready)'--ready'[say nothing and exit with 0 if a server runs and all its tasks are ready; otherwise name those that are not, and exit with 1]' \
            '(--server)'--server'[the server, if several host a task of this name]:PID: ' \
            '1:ACTION:(pause resume drain reload run history plan counts events)' \
            '2:NAME: '
          ;;
        token)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--name)'--name'[who gets it\: shown in logs, letters and ._@-]:name: ' \
            '(--expires)'--expires'[when it stops working, such as 2027-01-31 (default\: never)]:DATE: ' \
            '1:new:(new)'
          ;;
        openapi)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--server)'--server'[where the tasks are served (default\: where the document is found)]:URL: ' \
            '(-o --output)'{-o,--output}'[write it to this file]:FILE:_files' \
            '*:FILE:_files'
          ;;
        tap)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--filter)'--filter'[show only documents for which this is true, such as '\''$total > 100'\'']:EXPRESSION: ' \
            '(--limit)'--limit'[end after so many documents (default\: Ctrl-C)]:N: ' \
            '(--json)'--json'[print JSON lines, as in a pipe, on a terminal too]' \
            '(--server)'--server'[the server, if several host a task of this name; see '\''engine tasks'\'']:PID: ' \
            '1:TASK\[/SNAP\[.VIEW\]\]: '
          ;;
        history)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--state)'--state'[the folder given to engine serve --state]:FOLDER:_files -/' \
            '(--runs)'--runs'[number of runs to show (default\: 20)]:N: ' \
            '1:TASK:_files -g "*.(yaml|yml)(-.)"'
          ;;
        executor)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--port)'--port'[TCP port; 0 picks a free one]:port: ' \
            '(--token-file)'--token-file'[file with the token that clients must send]:FILE:_files' \
            '(--host)'--host'[address to listen on (default\: this machine only; traffic is not encrypted)]:host: ' \
            '(--sessions)'--sessions'[scripts that may run at the same time (default\: 8)]:N: '
          ;;
        import)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(-o --output)'{-o,--output}'[the folder of the project]:FOLDER:_files -/' \
            '(--force)'--force'[overwrite existing files]' \
            '(--json)'--json'[report as JSON]' \
            '*:FILE:_files'
          ;;
        export)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(-o --output)'{-o,--output}'[the file to write]:FILE:_files' \
            '(--force)'--force'[overwrite an existing file]' \
            '1:PIPELINE:_files -F "*.test.y*ml" -g "*.(yaml|yml|slp)(-.)"'
          ;;
        coverage)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '(--json)'--json'[report as JSON]' \
            '*:FOLDER:_files -/'
          ;;
        completion)
          _arguments -S \
            '(-h --help)'{-h,--help}'[show this help message and exit]' \
            '1:SHELL:(bash zsh fish)'
          ;;
      esac
      ;;
  esac
}
if [[ $funcstack[1] == _engine ]]; then _engine "$@"; else compdef _engine engine; fi
