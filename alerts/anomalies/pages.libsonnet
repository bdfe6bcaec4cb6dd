// When somebody is told of an anomaly. All are tickets: a band says that something is unlike the past, the objectives say that it is bad.
function(config, lib, annotations)
  local settings = config.anomalies;
  local who = lib.subjects(['agent']);
  local subject = lib.agentAffected;
  local own(part, signal) = 'agent:anomaly:' + part + '{signal="' + signal + '"}';
  local edge(part, signal, format) = lib.query('agent:anomaly:' + part + '{signal="' + signal + '",*}', '{{ . | first | value | ' + format + ' }}', 'unknown', who);
  local name = lib.name('.Labels.name');
  local called(label, otherwise) = '{{ if .Labels.' + label + ' }}' + lib.name('.Labels.' + label) + '{{ else }}' + otherwise + '{{ end }}';
  local before = ' than in the ' + lib.inWords(settings.recent) + ' before';
  local rate = 'printf "%.3g"';
  local usd = 'printf "$%.3g"';

  // More is bad, or less is: the other way is no reason to get up. Only of requests both are, and there none at all is AgentSilent's to tell.
  local above(signal) = own('value', signal) + ' > ' + own('upper', signal);
  local below(signal) = own('value', signal) + ' < ' + own('lower', signal);

  local alert(name, signal, owner, expr, format, says) = annotations.alert(
    name,
    'warning',
    owner,
    expr,
    { value: '{{ $value | ' + format + ' }}' } + says,
    rule={ 'for': lib.range(settings['for']), keep_firing_for: settings.keepFiringFor },
    who=who,
  );
  local atMost(signal, format) = { limit: edge('upper', signal, format) };
  local ordinary(signal, format) = ' At this time at most ' + edge('upper', signal, format) + ' is ordinary for it.';

  [
    alert('AgentRequestRateAnomalous', 'requests', 'agent-oncall', above('requests') + '\nor\n' + below('requests') + ' > 0', rate, {
      summary: 'An agent gets far more or far fewer requests than usual',
      description: '{{ $value | ' + rate + ' }} requests a second of ' + subject + '. At this time ' + edge('lower', 'requests', rate) + ' to ' + edge('upper', 'requests', rate) + ' are ordinary for it.',
      limit: edge('lower', 'requests', rate) + ' to ' + edge('upper', 'requests', rate),
      dashboard: 'requests',
      cause: annotations.top(
        'abs(tenant_agent:agent_requests:growth{*})',
        called('tenant_id', 'no tenant') + ' changed most: by {{ .Value | ' + rate + ' }} requests a second against the ' + lib.inWords(settings.recent) + ' before',
        'no request in the last ' + lib.inWords(lib.range(settings.window)),
        'Ask who calls: retries without backoff or a loop of agents where there are more, a caller that stopped or was turned away where there are fewer.',
        'See whether the callers reach the agent, and the agent the bridge.',
        who=who,
      ),
    }),
    alert('AgentErrorRateAnomalous', 'errors', 'agent-oncall', above('errors'), 'humanizePercentage', atMost('errors', 'humanizePercentage') {
      summary: 'An agent fails far more often than usual',
      description: '{{ $value | humanizePercentage }} of the requests of ' + subject + ' fail.' + ordinary('errors', 'humanizePercentage'),
      dashboard: 'errors',
      cause: annotations.failures(who, 'agent_cause:agent_root_causes:share'),
    }),
    alert('AgentLatencyAnomalous', 'latency', 'agent-oncall', above('latency'), 'humanizeDuration', atMost('latency', 'humanizeDuration') {
      summary: 'An agent is far slower than usual',
      description: 'P95 of the requests of ' + subject + ' is {{ $value | humanizeDuration }}.' + ordinary('latency', 'humanizeDuration'),
      dashboard: 'requests',
      cause: annotations.waiting(who),
    }),
    alert('AgentCostAnomalous', 'cost', 'platform', above('cost'), usd, atMost('cost', usd) {
      summary: 'The requests of an agent cost far more than usual',
      description: 'A request of ' + subject + ' costs {{ $value | ' + usd + ' }}.' + ordinary('cost', usd),
      dashboard: 'cost',
      local remedy = 'See whether this step is called more often, with longer prompts, or on a dearer model; undo that, or cap the steps of a request.',
      local grown = annotations.top(
        'agent_step:agent_cost_usd:growth{*}',
        called('step', 'other') + '{{ if .Labels.name }} ' + name + '{{ end }}: {{ .Value | ' + usd + ' }} a request more' + before,
        'no step with a cost in the last ' + lib.inWords(lib.range(settings.window)),
        remedy,
        'See whether prices have changed.',
        ['step', 'name'],
        who,
      ),
      // Requests that are dear for this agent need not be beyond a limit: then it is what grew.
      cause: annotations.problem('expensive', 'what dear requests spent beyond their usual on', remedy, grown, who) + annotations.inCommon('expensive'),
    }),
    alert('AgentTokensAnomalous', 'tokens', 'platform', above('tokens'), 'humanize', atMost('tokens', 'humanize') {
      summary: 'The requests of an agent use far more tokens than usual',
      description: 'A request of ' + subject + ' uses {{ $value | humanize }} tokens.' + ordinary('tokens', 'humanize'),
      dashboard: 'cost',
      cause: annotations.top(
        'agent_name:agent_tokens:growth{*}',
        '{{ .Labels.type }} of ' + called('name', 'an unnamed model') + ': {{ .Value | humanize }} tokens a request more' + before,
        'no tokens in the last ' + lib.inWords(lib.range(settings.window)),
        '{{ if eq .Labels.type "input" }}Compress the context, fetch fewer documents, and look for a loop that sends its history again.{{ else }}Limit the length of an answer, and look for a loop.{{ end }}',
        'Look at the traces of the longest requests.',
        ['name'],
        who,
      ),
    }),
    alert('AgentQualityAnomalous', 'quality', 'agent-team', below('quality'), 'printf "%.2f"', {
      summary: 'The answers of an agent are scored far lower than usual',
      description: 'The mean score of ' + subject + ' is {{ $value | printf "%.2f" }}. At least ' + edge('lower', 'quality', 'printf "%.2f"') + ' is ordinary for it.',
      limit: edge('lower', 'quality', 'printf "%.2f"'),
      dashboard: 'quality',
      local fallen = annotations.top(
        '-agent_evaluator:agent_quality_score:growth{*}',
        'scores of {{ .Labels.layer }} ' + called('evaluator', 'without a name') + ': {{ .Value | printf "%.2f" }} lower' + before,
        'no scores in the last ' + lib.inWords(lib.range(settings.scoreWindow)),
        'Compare a low-scored answer with an older one: a new prompt or model, documents that are missing, a context past 50 messages. Where only one evaluator went down, look at the evaluator.',
        'Read a low-scored answer.',
        annotations.evaluator,
        who,
      ),
      cause: fallen { root_cause+: annotations.badAnswers(who) } + annotations.inCommon('bad_answer'),
    }),
  ]
