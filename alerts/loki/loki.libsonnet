// Rules for Loki's ruler: what single requests tell and no series does. Windows slide over the lines and an alert ends when they have passed, so none needs
// keep_firing_for, which Loki drops without a word. Rules and the queries of annotations are LogQL.
local remedies = import '../remedies.json';

function(config, lib, annotations)
  local settings = config.loki;
  local lines = (import 'lines.libsonnet')(config, lib);

  // The labels of one cause.
  local cause = ['class', 'type', 'step', 'name'];
  local times = '{{ printf "%.0f" $value }}';
  local requests = '{{ if eq $value 1.0 }}1 request{{ else }}' + times + ' requests{{ end }}';
  local withCause = lines.failures + ' | fingerprint != ""';

  local newFingerprint =
    local new = settings.newFingerprint;
    local by = lib.labels(['agent'] + cause + ['fingerprint']);
    annotations.alert(
      'AgentErrorFingerprintNew', 'warning', 'agent-team', |||
        (
          %s >= %d
          unless on (%s)
          %s
        )
        and on (%s)
        %s > 0
      ||| % [
        lines.sum(by, withCause, 'requests', new.range),
        new.atLeast,
        lib.labels(['fingerprint']),
        lines.count(lib.labels(['fingerprint']), withCause, new.memory, new.range),
        lib.labels([]),
        // A bridge writes a line of itself each minute. Without one from before, everything would be new.
        lines.count(lib.labels([]), lines.bridges, new.memory, new.memory),
      ], {
        summary: 'An agent fails in a way that it has not failed in before',
        description: requests + ' of %s failed in the last %s in a way that was not seen in the %s before; an alert begins at %d.' % [
          lib.agentAffected, lib.inWords(new.range), lib.inWords(new.memory), new.atLeast,
        ],
        value: times,
        limit: '%d' % new.atLeast,
        dashboard: 'errors',
        cause: annotations.labelled('new: fingerprint {{ $labels.fingerprint }}'),
      }, who=lib.labelsOf(['agent'])
    );

  local burst =
    local range = settings.burst.range;
    // Those two have alerts of their own.
    local causes = withCause + ', type != "context_overflow", type != "deadlock"';
    local by = lib.labels(['tenant_id', 'agent'] + cause);
    annotations.alert(
      'AgentRootCauseBurst', 'warning', 'agent-oncall', |||
        %s >= %d
        unless
        %s < %g * (%s - %s) / %g
      ||| % [
        lines.sum(by, causes, 'requests', range),
        settings.burst.atLeast,
        lines.sum(by, causes, 'requests', range),
        settings.burst.factor,
        // Without `offset`, which Grafana's editor cannot read behind an unwrap: the time before is all of it less the range.
        lines.sum(by, causes, 'requests', lib.duration(lib.seconds(settings.burst.before) + lib.seconds(range))),
        lines.sum(by, causes, 'requests', range),
        lib.seconds(settings.burst.before) / lib.seconds(range),
      ], {
        summary: 'One root cause fails many requests of a tenant at once',
        description: requests + ' of %s failed in the last %s for one reason, at least %g times as many as was usual in the %s before; a burst begins at %d.' % [
          lib.affected, lib.inWords(range), settings.burst.factor, lib.inWords(settings.burst.before), settings.burst.atLeast,
        ],
        value: times,
        limit: '%d' % settings.burst.atLeast,
        dashboard: 'errors',
        cause: annotations.labelled(requests + ' in the last ' + lib.inWords(range)),
      }
    );

  local overflows =
    local range = settings.contextOverflow.range;
    annotations.alert(
      'AgentContextOverflowBurst', 'warning', 'agent-team',
      '%s >= %d' % [
        lines.sum(lib.labels(['tenant_id', 'agent'] + cause), lines.failures + ' | type = "context_overflow"', 'requests', range),
        settings.contextOverflow.atLeast,
      ], {
        summary: 'Contexts of an agent overflow',
        description: requests + ' of %s failed in the last %s because their context was too long; an alert begins at %d.' % [
          lib.affected, lib.inWords(range), settings.contextOverflow.atLeast,
        ],
        value: times,
        limit: '%d' % settings.contextOverflow.atLeast,
        dashboard: 'errors',
        cause: annotations.labelled(requests + ' in the last ' + lib.inWords(range)),
      }
    );

  local deadlocks =
    local range = settings.deadlock.range;
    annotations.alert(
      'AgentDeadlockSeen', 'warning', 'agent-oncall',
      '%s >= %d' % [
        // In the text and not in the metadata, so that it is found wherever it is in the chain of errors. No value of a stranger can look like it: in a JSON
        // string its quotes would have backslashes.
        lines.sum(lib.labels(['tenant_id', 'agent']), lines.requests + ' |= `"type":"deadlock"`', 'requests', range),
        settings.deadlock.atLeast,
      ], {
        summary: 'Agents wait for each other, or one goes round in a circle',
        description: requests + ' of %s had a deadlock among their errors in the last %s; an alert begins at %d.' % [
          lib.affected, lib.inWords(range), settings.deadlock.atLeast,
        ],
        value: times,
        limit: '%d' % settings.deadlock.atLeast,
        dashboard: 'errors',
        cause: annotations.known('agent: deadlock, ' + requests + ' in the last ' + lib.inWords(range), remedies.errors.deadlock.remedy) + {
          root_cause_class: remedies.errors.deadlock.class,
          root_cause_type: 'deadlock',
          root_cause_step: 'agent',
          root_cause_name: '{{ $labels.agent }}',
        },
      }
    );

  local noSuccess =
    local range = settings.noSuccess.range;
    local by = lib.labels(['tenant_id']);
    local who = lib.labelsOf(['tenant_id']);
    annotations.alert(
      'TenantWithoutSuccess', 'critical', 'agent-oncall', |||
        %s >= %d
        unless
        %s > 0
      ||| % [
        lines.sum(by, lines.tallies, 'failed', range),
        settings.noSuccess.atLeast,
        lines.sum(by, lines.tallies, 'succeeded', range),
      ], {
        summary: 'Every request of a tenant fails',
        description: requests + ' of %s failed in the last %s and none succeeded; a page begins at %d.' % [
          lib.tenantAffected, lib.inWords(range), settings.noSuccess.atLeast,
        ],
        value: times,
        limit: '%d' % settings.noSuccess.atLeast,
        dashboard: 'tenant',
        cause: annotations.logged(
          lines.sum(std.join(', ', cause), lines.failures + ' | ' + std.join(', ', [label + '=%q' for label in who]), 'requests', range),
          '{{ printf "%.0f" .Value }} in the last ' + lib.inWords(range),
          who
        ),
      }, who=who
    );

  {
    rules: [],
    alerts: [
      // Reads a day of lines.
      lib.group('loki-new', [newFingerprint], settings.longRangeEvaluationInterval),
      lib.group('loki', [burst, overflows, deadlocks, noSuccess], settings.evaluationInterval),
    ],
  }
