// Cost is a lower bound where calls have no price: the rules about cost then judge too little.
function(config, lib, annotations)
  local health = config.health;
  local all = lib.labels([]);
  local unpriced = lib.fill('sum by (%s) (increase(%s[1h]))', [all, lib.series('agent_unpriced_calls_total')]);
  local calls = lib.fill('sum by (%s) (increase(%s[1h]))', [all, lib.series('agent_step_duration_seconds_count', ['step=~"model|embedding"'])]);
  local limit = '%g%%' % (health.unpricedShare * 100);
  local share = '{{ $value | humanizePercentage }}';

  lib.group('unpriced', [
    annotations.alert(
      'AgentCallsUnpriced',
      'warning',
      'platform',
      lib.fill('%s\n/\n%s\n> %s\nand\n%s >= %s', [unpriced, calls, '%g' % health.unpricedShare, calls, health.unpricedCalls]),
      {
        summary: 'The cost of many model calls is unknown',
        description: share + ' of the model calls' + lib.where + ' of the last hour have no known cost, so that costs are too low by so much; the limit is ' + limit + '.',
        value: share,
        limit: limit,
        dashboard: 'cost',
        cause: annotations.top(
          lib.fill('sum by (name, reason) (increase(%s[1h])) > 0', [lib.series('agent_unpriced_calls_total', ['*'])]),
          'model {{ if .Labels.name }}' + lib.name('.Labels.name') + '{{ else }}without a name{{ end }}: {{ .Labels.reason }}, {{ .Value | humanize }} calls in the last hour',
          'none in the last hour',
          annotations.choose('reason', {
            no_price: 'Add the model to pricing.yaml, or set latencyPricing for machines of your own.',
            no_tokens: 'Let streams report their usage (stream_options.include_usage), and raise OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT for long conversations.',
          }, 'Ask spanbridge doctor.'),
          'Nothing: it has stopped.',
          names=['name'],
          who=lib.subjects([]),
        ),
      },
      rule={ 'for': health['for'], keep_firing_for: lib.range(health.window) },
      who=lib.subjects([]),
    ),
  ])
