// What every alert says, in one shape. An alert is written as
//   annotations.alert(name, severity, owner, expr, { summary, description, cause, dashboard, … })
// and leaves here with its links, its cause and its first remedy.
local remedies = import 'remedies.json';

function(config, lib)
  local sampled(text) = '{{ with . | first }}' + text + '{{ end }}';

  // tool lookup_order
  local place = '{{ .Labels.step }}{{ if .Labels.name }} ' + lib.name('.Labels.name') + '{{ end }}';

  // tool lookup_order: 5xx
  local failure =
    '{{ if .Labels.step }}' + place + '{{ else }}{{ .Labels.class }}{{ end }}: {{ .Labels.type }}{{ if eq .Labels.type .Labels.class }} error{{ end }}';
  local failureParts = ['class', 'type', 'step', 'name'];

  local recently = lib.inWords(lib.causeRange);

  // The parts of the cause by themselves, for whoever lays out the page. Not labels: those are what Alertmanager knows an alert by.
  // `names`: labels of the top sample, or an object of texts about it.
  local parts(top, names) =
    local texts = if std.isArray(names) then { [name]: '{{ .Labels.' + name + ' }}' for name in names } else names;
    { ['root_cause_' + name]: top(texts[name], '') for name in std.objectFields(texts) };

  {
    local annotations = self,

    // {{ if eq .Labels.type "timeout" }}…{{ else if … }}…{{ end }}
    choose(label, table, otherwise)::
      '{{ if ' + std.join('{{ else if ', ['eq .Labels.' + label + ' "' + key + '" }}' + table[key] for key in std.objectFields(table)])
      + '{{ else }}' + otherwise + '{{ end }}',

    // tool lookup_order, of the top sample.
    place:: place,

    // The first remedy for the type in `.Labels`.
    remedy:: annotations.choose('type', { [type]: remedies.errors[type].remedy for type in std.objectFields(remedies.errors) }, remedies.unclassified),

    // Causes. Each is { root_cause, remedy, and the parts of the cause as root_cause_* }, found by a query when the alert is evaluated. `who`: the
    // labels of the alert that the query is asked for. They look back over the last minutes, which is recorded, or over `range`.
    failures(who=lib.who, shares='tenant_agent_cause:agent_root_causes:share', range=null)::
      local causes = if range == null then shares + '{*}'
      else 'sum by (class, type, step, name) (increase(' + lib.series('agent_root_causes_total', ['*']) + '[' + range + '])) > 0';
      local ask = lib.asking('topk(1, ' + causes + ')', who);
      local top(found, nothing) = ask(sampled(found), nothing);
      local period = if range == null then recently else lib.inWords(range);
      {
        root_cause: top(
          failure + ', '
          + (if range == null then '{{ .Value | humanizePercentage }} of the failures of the last ' else '{{ .Value | printf "%.0f" }} times in the last ')
          + period,
          'no failed request with a known cause in the last ' + period
        ),
        remedy: top(annotations.remedy, remedies.unclassified),
      } + parts(top, failureParts),

    // The step that is most often why a limit of single requests was broken; where none was, which a mean or a stricter limit need not do, `otherwise`.
    problem(problem, found, remedy, otherwise, who=lib.who, range=null)::
      local counts = if range == null then 'tenant_agent_problem:agent_problem_causes:increase{problem="' + problem + '",*}'
      else '(increase(' + lib.series('agent_problem_causes_total', ['problem="' + problem + '"', '*']) + '[' + range + ']) > 0)';
      local expr = 'topk(1, sum by (step, name) (' + counts + ') / on () group_left () sum (' + counts + '))';
      local asked = lib.asking(expr, who);
      local ask(text, nothing) = asked(sampled(text), nothing);
      otherwise {
        root_cause: ask(place + ': ' + found + ', {{ .Value | humanizePercentage }} of those of the last ' + (if range == null then recently else lib.inWords(range)), otherwise.root_cause),
        remedy: ask(remedy, otherwise.remedy),
      } + { ['root_cause_' + name]: ask('{{ .Labels.' + name + ' }}', std.get(otherwise, 'root_cause_' + name, '')) for name in ['step', 'name'] },

    // The parts of a cause that is an evaluator, named as where it is why an answer is bad: a page that has them shows requests with low scores of it.
    parts:: parts,
    evaluator:: { step: 'evaluation', name: '{{ .Labels.evaluator }}' },

    // What bad answers came after, where it is not the evaluator alone that says so; '' for nothing.
    badAnswers(who=lib.who):: lib.query(
      'topk(1, sum by (step, name) (tenant_agent_problem:agent_problem_causes:increase{problem="bad_answer",step!="evaluation",*}))',
      '{{ with . | first }}; {{ .Value | printf "%.0f" }} bad answers after an error or a failed check of ' + annotations.place + '{{ end }}',
      '',
      who,
    ),

    // What the bad requests have in common that the good ones of the same minutes lack, by their verdict; what most of them have comes first. An error is a
    // request's own, and is its cause.
    inCommon(verdict, who=[label for label in lib.who if label != 'tenant_id'])::
      local lift = 'agent_feature:agent_request_features:lift{verdict="' + verdict + '",';
      local times = '{{ with printf `' + lift + 'feature=%q,value=%q,' + std.join(',', [name + '=%q' for name in who]) + '}` $found.Labels.feature $found.Labels.value'
                    + std.join('', [' $labels.' + name for name in who]) + ' | query }} ({{ . | first | value | printf "%.0f" }} times as often as in good requests){{ end }}';
      {
        in_common: lib.query(
          'sort_desc(topk(3, agent_feature:agent_request_features:excess{verdict="' + verdict + '",feature!="error",*} and ' + lift + '*}))',
          '{{ range $i, $found := . }}{{ if $i }}, {{ end }}{{ $found.Labels.feature }} ' + lib.name('$found.Labels.value') + times + '{{ end }}',
          '',
          who,
        ),
      },

    // Steps have no tenant: what is slow for one tenant of an agent is looked for in all of the agent's steps.
    slowness(who=[label for label in lib.who if label != 'tenant_id'], range=null)::
      // A step of kind agent contains the steps of that agent, and would always be the slowest.
      local steps = if range == null then 'agent_step:agent_step_duration_seconds:share{*}'
      else 'sum by (step, name) (increase(' + lib.series('agent_step_duration_seconds_sum', ['step!="agent"', '*']) + '[' + range + '])) > 0';
      local ask = lib.asking('topk(1, ' + steps + ')', who);
      local top(found, nothing) = ask(sampled(found), nothing);
      local period = if range == null then recently else lib.inWords(range);
      {
        root_cause: top(
          place + ': slowest step, '
          + (if range == null then '{{ .Value | humanizePercentage }} of the time of all steps in the last ' else '{{ .Value | humanizeDuration }} in all in the last ')
          + period,
          'no step of this agent ended in the last ' + period
        ),
        remedy: top(annotations.slowRemedy, remedies.slow_elsewhere),
      } + parts(top, ['step', 'name']),

    slowRemedy:: annotations.choose('step', remedies.slow_steps, remedies.slow_elsewhere),

    // The step that slow requests waited for.
    waiting(who=lib.who, range=null)::
      annotations.problem('slow', 'what slow requests waited for longest', annotations.slowRemedy, annotations.slowness(range=range), who, range),

    // A cause that a query finds otherwise: `found` and `remedy` are templates with the top sample in `.`, `nothing` and `otherwise` stand where there is none.
    top(expr, found, nothing, remedy, otherwise, names=[], who=lib.who)::
      local asked = lib.asking('topk(1, ' + expr + ')', who);
      local ask(text, none) = asked(sampled(text), none);
      { root_cause: ask(found, nothing), remedy: ask(remedy, otherwise) } + parts(ask, names),

    // A cause that the labels of the alert tell: class, type, step and name.
    labelled(found):: {
      root_cause: failure + ', ' + found,
      remedy: annotations.remedy,
    } + { ['root_cause_' + name]: '{{ .Labels.' + name + ' }}' for name in failureParts },

    // The most frequent cause that a query of Loki's finds in the log; `expr` is LogQL with %q for each label of `who`.
    logged(expr, found, who)::
      local top(text, nothing) =
        '{{ with printf `topk(1, ' + expr + ')`' + std.join('', [' $labels.' + name for name in who]) + ' | query }}' + sampled(text) + '{{ else }}' + nothing + '{{ end }}';
      {
        root_cause: top(failure + ', ' + found, 'no failed request with a known cause'),
        remedy: top(annotations.remedy, remedies.unclassified),
      } + parts(top, failureParts),

    // A cause that is known when the rule is written.
    known(cause, remedy):: { root_cause: cause, remedy: remedy },

    // A rule. `says` has summary (static), description, dashboard (a key of dashboardUids), cause, and where there is a number to show value and limit;
    // `rule` what else Prometheus takes, such as `for` and `keep_firing_for`.
    alert(name, severity, owner, expr, says, labels={}, rule={}, who=lib.who):: {
      alert: name,
      expr: expr,
      labels: config.extraLabels + labels { severity: severity, owner: owner },
      annotations: {
        [field]: says[field]
        for field in ['summary', 'description', 'value', 'limit']
        if std.objectHas(says, field)
      } + {
        runbook_url: lib.runbookUrl(name),
        dashboard_url: lib.dashboardUrl(says.dashboard, who),
      } + says.cause,
    } + rule,
  }
