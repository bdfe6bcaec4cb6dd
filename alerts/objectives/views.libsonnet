// What the alerts of an objective are called, and how they tell what they found: failures, slow requests, a slow bridge.
function(config, lib, annotations)
  local percentage = '{{ . | first | value | humanizePercentage }}';
  local seconds = '{{ . | first | value | humanizeDuration }}';
  local recorded(name, objective, shown) = lib.query(lib.fill('%s{objective="%s",*}', [name, objective.id]), shown, 'unknown', lib.whoOf(objective));

  // 90% of the requests of agent support, tenant acme, succeeded in the last hour; the objective is 99.5%.
  local described(objective, window, whose, did, target) =
    lib.query(lib.fill('1 - tenant_agent:objective_bad:ratio_rate%s{objective="%s",*}', [window, objective.id]), percentage, 'An unknown share', lib.whoOf(objective))
    + ' of ' + whose + ' ' + did + ' in the last ' + lib.inWords(window) + '; the objective is ' + target + '.';

  local requests = 'the requests of ' + lib.affected + ',';
  local cluster = lib.clusterAffected;
  local pushes = 'the pushes to ' + (if cluster == '' then 'the bridge' else 'the bridges of ' + cluster + ',');

  local failures(objective) = {
    local limit = recorded('tenant_agent:objective:limit', objective, percentage),
    name: 'AgentSuccessRateLow',
    trickle: 'AgentFailuresTrickle',
    summary: 'Too many requests of an agent fail',
    trickleSummary: 'Requests of an agent fail again and again',
    bad: 'failed',
    dashboard: 'errors',
    limit: limit,
    value(window): lib.query(lib.fill('1 - tenant_agent:objective_bad:ratio_rate%s{objective="%s",*}', [window, objective.id]), percentage, 'unknown', lib.whoOf(objective)),
    description(window): described(objective, window, requests, 'succeeded', limit),
    cause: annotations.failures() + annotations.inCommon('failed'),
    trickleCause: annotations.failures(range=lib.range('1d')),
  };

  local latency(objective) = {
    limit: recorded('tenant_agent:objective:limit', objective, seconds),
    value(window): recorded('tenant_agent:objective:value', objective, seconds),
    target:: '%g%%' % (objective.measure.quantile * 100),
  };

  local slowness(name, trickle=null) = function(objective) latency(objective) {
    name: name,
    trickle: trickle,
    summary: 'Too many requests of an agent are slow',
    trickleSummary: 'Requests of an agent are slow again and again',
    bad: 'were slow',
    dashboard: 'requests',
    description(window): described(objective, window, requests, 'took at most ' + self.limit, self.target),
    cause: annotations.waiting() + annotations.inCommon('slow'),
    trickleCause: annotations.waiting(range=lib.range('1d')),
  };

  local pipeline(name) = function(objective) latency(objective) {
    name: name,
    trickle: null,
    summary: 'Too many pushes of spans are counted late',
    dashboard: 'bridge',
    description(window): described(objective, window, pushes, 'were counted within ' + self.limit, self.target),
    cause: annotations.known(
      'the bridge takes long to read what it is sent: too little CPU, or too much in one push',
      'Give the bridge more CPU, or put several behind a balancer that keeps a trace together.'
    ),
  };

  local views = {
    success_rate: failures,
    // The slowest in a hundred are a drip by nature where there are fewer than some hundred requests a day, so only P95 is watched for one.
    latency_p95: slowness('AgentLatencyP95High', 'AgentSlownessTrickle'),
    latency_p99: slowness('AgentLatencyP99High'),
    pipeline_latency_p95: pipeline('PipelineLatencyP95High'),
    pipeline_latency_p99: pipeline('PipelineLatencyP99High'),
  };

  function(objective)
    assert std.objectHas(views, objective.id) : lib.fill('cannot make alerts for objective %s: views.libsonnet does not name them', [objective.id]);
    views[objective.id](objective)
