// Shared by the rule files: label lists, selectors, durations, the text of an alert's annotations.
function(config) {
  local lib = self,
  local cluster = if config.clusterLabel == '' then [] else [config.clusterLabel],

  // The labels one alert is about.
  labelsOf(names): cluster + names,
  who: self.labelsOf(['tenant_id', 'agent']),

  // Of an alert about an objective.
  whoOf(objective): self.labelsOf(objective.per),

  // 'cluster, tenant_id, agent': a label list for by (), on () and the like, with the cluster in front where there is one.
  labels(names): std.join(', ', cluster + names),

  // 'agent_requests_total{job="spanbridge",outcome="error"}'
  series(metric, matchers=[]):
    local all = (if config.selector == '' then [] else [config.selector]) + matchers;
    metric + (if all == [] then '' else '{' + std.join(',', all) + '}'),

  // 'up{job="prometheus"}': a series of `program`, one of config.targets.
  target(metric, program, matchers=[]): metric + '{' + std.join(',', [config.targets[program]] + matchers) + '}',

  // A template with each %s in place, or each %(name)s: what % does, which libjsonnet takes a millisecond and more for, and there are thousands.
  fill(template, values):
    if std.isArray(values) then
      local parts = std.split(template, '%s');
      assert std.length(parts) == std.length(values) + 1 : 'cannot fill ' + template + ': it has ' + (std.length(parts) - 1) + ' places for ' + std.length(values) + ' values';
      std.join('', [parts[0]] + std.flattenArrays(std.mapWithIndex(function(i, value) ['' + value, parts[i + 1]], values)))
    else std.foldl(function(text, name) std.strReplace(text, '%(' + name + ')s', '' + values[name]), std.objectFields(values), template),

  seconds(duration):
    local unit = { s: 1, m: 60, h: 3600, d: 86400 };
    std.parseInt(std.substr(duration, 0, std.length(duration) - 1)) * unit[duration[std.length(duration) - 1]],

  // 600 is '10m': the largest unit that divides it.
  duration(seconds):
    local units = [['d', 86400], ['h', 3600], ['m', 60], ['s', 1]];
    local fitting = [unit for unit in units if seconds % unit[1] == 0][0];
    '' + seconds / fitting[1] + fitting[0],

  // A range that a rate or an increase may have: at least four scrapes, so that one that is lost or late leaves enough of them. To be
  // used for every range over a bridge's metric, in the names of what is recorded and in what an alert says of it.
  range(duration): if self.seconds(duration) >= 4 * self.seconds(config.scrapeInterval) then duration else self.duration(4 * self.seconds(config.scrapeInterval)),

  // What a page calls recent when it names a cause.
  causeRange: self.range(config.causeRange),

  // '10m' is '10 minutes', '1h' is 'hour', as in "of the last …".
  inWords(duration):
    local number = std.parseInt(std.substr(duration, 0, std.length(duration) - 1));
    local unit = { s: 'second', m: 'minute', h: 'hour', d: 'day' }[duration[std.length(duration) - 1]];
    if number == 1 then unit else '' + number + ' ' + unit + 's',

  // Objectives that are kept by so many of a hundred events, and so have a budget of bad ones.
  hasBudget(objective): std.member(['ratio', 'latency'], objective.measure.kind),

  isLong(duration): lib.seconds(duration) >= 7200,

  // What is "now" where a single minute would say nothing.
  recent: lib.range('1h'),

  // The same for other labels: subjects(['agent']) is of an agent, whatever the tenant.
  subjects(names): cluster + names,

  // ', cluster eu': for what is said of something that has no tenant and no agent.
  where: std.join('', [', ' + label + ' ' + lib.name('$labels.' + label) for label in cluster]),

  // The labels of an alert about one program.
  what: cluster + ['instance'],

  // Every window of the burn rates, the recent one and the day, each once, shortest first.
  windows: std.sort(
    std.set([lib.recent, lib.range('1d')] + [lib.range(pair[end]) for level in config.burnRates for pair in level.pairs for end in ['short', 'long']]),
    function(window) lib.seconds(window),
  ),

  group(name, rules, interval=config.evaluationInterval):
    { name: 'spanbridge-' + name, rules: rules } + (if interval == null then {} else { interval: interval }),

  // A template action that runs `expr` for the alert's own labels and shows `found` with the samples in `.`, or `nothing`. In `expr`,
  // '{*}' or ',*}' stands for the matchers of `names`. Label values come from strangers: %q writes them as a string literal that Go and
  // PromQL read alike, so that no value can end the literal.
  query(expr, found, nothing='', names=lib.who):: lib.asking(expr, names)(found, nothing),

  // The same for several texts about the samples of one query: it is put together once.
  asking(expr, names=lib.who)::
    local pieces = std.split(expr, '*}');
    local matchers = std.join(',', [name + '=%q' for name in names]) + '}';
    local values = std.join('', [' $labels.' + name for name in names]);
    local asked = '{{ with printf `' + std.join(matchers, pieces) + '`' + std.repeat(values, std.length(pieces) - 1) + ' | query }}';
    function(found, nothing='') asked + found + (if nothing == '' then '' else '{{ else }}' + nothing) + '{{ end }}',

  // The value of a label, in quotes where it is more than a plain name: a line break or a sentence in a name is then seen as one.
  // Concatenated, here and where else it is done for every alert: in jsonnet % takes a millisecond.
  name(value): '{{ if match "^[\\\\w.:/@+-]+$" ' + value + ' }}{{ ' + value + ' }}{{ else }}{{ printf "%q" ' + value + ' }}{{ end }}',

  local part(label, word, otherwise) = '{{ if $labels.' + label + ' }}' + word + ' ' + lib.name('$labels.' + label) + '{{ else }}' + otherwise + '{{ end }}',
  local agent = part('agent', 'agent', 'an unnamed agent'),
  local tenant = part('tenant_id', 'tenant', 'no tenant'),
  local where = [part(label, label, 'no ' + label) for label in cluster],

  // agent support, tenant acme
  affected: std.join(', ', [agent, tenant] + where),
  agentAffected: std.join(', ', [agent] + where),
  tenantAffected: std.join(', ', [tenant] + where),
  // cluster prod; '' where there is no label for it.
  clusterAffected: std.join(', ', where),

  runbookUrl(alert): lib.fill(config.runbookUrlPattern, [alert]),

  // The dashboard with its variables filled from the alert's labels.
  dashboardUrl(dashboard, labels=lib.who):
    config.dashboardUrlPrefix + '/d/' + config.dashboardUids[dashboard]
    + (if labels == [] then '' else '?')
    + std.join('&', ['var-' + name + '={{ $labels.' + name + ' | urlquery }}' for name in labels]),
}
