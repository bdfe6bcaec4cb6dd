// What grew, for the root cause in a page: of each part of a signal how much it is now and how much more than in the hours before.
//   agent_step:agent_cost_usd:per_request, :growth{agent,step,name}             USD
//   agent_name:agent_tokens:per_request, :growth{agent,name,type}               tokens
//   tenant_agent:agent_requests:rate, :growth{tenant_id,agent}                  requests a second
//   agent_evaluator:agent_quality_score:mean, :growth{agent,layer,evaluator}    score
//   agent_cause:agent_root_causes:share{agent,class,type,step,name}             of the failures of all tenants
function(config, lib)
  local settings = config.anomalies;
  local window = lib.range(settings.window);
  local agent = lib.labels(['agent']);
  local rate(labels, series, range=window) = 'sum by (' + lib.labels(labels) + ') (rate(' + lib.series(series[0], series[1:]) + '[' + range + ']))';
  local perRequest = '\n/ on (' + agent + ') group_left ()\n(sum by (' + agent + ') (agent:anomaly:value{signal="requests"}) > 0)';

  // What was not there before grew by all of it.
  local growth(name, operation, expr) = [
    { record: name + ':' + operation, expr: expr },
    {
      record: name + ':growth',
      local now = name + ':' + operation,
      expr: now + '\n-\n(avg_over_time(' + now + '[' + settings.recent + '] offset ' + window + ') or 0 * ' + now + ')',
    },
  ];
  local evaluator = ['agent', 'layer', 'evaluator'];
  local scoreWindow = lib.range(settings.scoreWindow);
  local matchers = if config.qualitySelector == '' then [] else [config.qualitySelector];

  growth('agent_step:agent_cost_usd', 'per_request', rate(['agent', 'step', 'name'], ['agent_cost_usd_total']) + perRequest)
  + growth('agent_name:agent_tokens', 'per_request', rate(['agent', 'name', 'type'], ['agent_tokens_total', 'type=~"input|output"']) + perRequest)
  + growth('tenant_agent:agent_requests', 'rate', rate(['tenant_id', 'agent'], ['agent_requests_total']))
  + growth('agent_evaluator:agent_quality_score', 'mean', rate(evaluator, ['agent_quality_score_sum'] + matchers, scoreWindow) + '\n/\n(' + rate(evaluator, ['agent_quality_score_count'] + matchers, scoreWindow) + ' > 0)')
  + [{
    record: 'agent_cause:agent_root_causes:share',
    expr: lib.fill(|||
      sum by (%s) (tenant_agent_cause:agent_root_causes:increase)
      / on (%s) group_left ()
      sum by (%s) (tenant_agent_cause:agent_root_causes:increase)
    |||, [lib.labels(['agent', 'class', 'type', 'step', 'name']), agent, agent]),
  }]
