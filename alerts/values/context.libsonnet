// Model calls with more messages in their context than the objective allows. Calls have no tenant: they are judged by agent.
function(config, lib, annotations, sums, objective)
  local byAgent = lib.labels(['agent']);
  local byName = lib.labels(['agent', 'name']);
  local calls = 'agent_name:agent_context_messages';
  local limits = 'agent:agent_context_messages:le';

  local rules = lib.group('context-long', [
    // The limit becomes a label, and by that label picks its bucket: how many calls are past it is exact.
    { record: limits, expr: lib.fill('count_values by (%s) ("le", tenant_agent:objective:limit{objective="context_messages"})', [byAgent ])},
    sums.hour(calls + '_count', ['agent', 'name'], lib.series('agent_context_messages_count')),
    {
      // Two increases are extrapolated each by itself, which can leave a difference just below 0. Prometheus 3 writes le="50.0" where
      // count_values and Prometheus 2 write le="50".
      record: calls + '_long:increase1h',
      expr: lib.fill(|||
        clamp_min(
          %s_count:increase1h
          -
          sum by (%s) (
            increase(%s[1h]) * on (%s) group_left () (
              %s
              or
              label_replace(%s, "le", "$1.0", "le", "([0-9]+)")
            )
          ),
          0
        )
      |||, [calls, byName, lib.series('agent_context_messages_bucket'), lib.labels(['agent', 'le']), limits, limits]),
    },
    {
      record: 'agent:agent_context_messages_long:ratio1h',
      expr: lib.fill('sum by (%s) (%s_long:increase1h)\n/\n(round(sum by (%s) (%s_count:increase1h)) >= %s)', [byAgent, calls, byAgent, calls, config.minEvents]),
    },
    { record: calls + '_long:share1h', expr: lib.fill('(%s_long:increase1h > 0)\n/ on (%s) group_left ()\nsum by (%s) (%s_long:increase1h)', [calls, byAgent, byAgent, calls]) },
    // In messages: the value is past the limit when more calls are than may be.
    objective.value('context_messages', lib.fill(|||
      histogram_quantile(%s, sum by (%s) (increase(%s[1h])))
      and on (%s)
      agent:agent_context_messages_long:ratio1h
    |||, ['%g' % (1 - config.maxLongContext), lib.labels(['agent', 'le']), lib.series('agent_context_messages_bucket'), byAgent])),
  ], config.longRangeEvaluationInterval);

  local who = objective.cluster + ['agent'];
  local messages = objective.limit('context_messages', 'printf "%.0f"', who);
  local limit = '%g%%' % (config.maxLongContext * 100);
  local compress = 'Compress the context past 50 messages.';

  local long = objective.alert('AgentContextLong', 'context_messages', 'agent:agent_context_messages_long:ratio1h > ' + '%g' % config.maxLongContext, {
    summary: 'The context of an agent grows past the point where it should be compressed',
    description: '{{ $value | humanizePercentage }} of the model calls of ' + objective.agent + ' in the last hour had more than ' + messages
                 + ' messages in their context; at most ' + limit + ' should have. Long contexts cost more and are answered worse.',
    value: '{{ $value | humanizePercentage }}',
    limit: limit,
    dashboard: 'agent',
    cause: annotations.top(
      calls + '_long:share1h{*}',
      'model ' + lib.name('.Labels.name') + ': {{ .Value | humanizePercentage }} of the calls with a long context in the last hour',
      'no call with a long context in the last hour',
      compress, compress, ['name'], who,
    ),
  }, { 'for': '5m', keep_firing_for: '15m' }, who);

  { rules: [rules], alerts: [long] }
