// Rules for Loki's ruler: what single requests tell and no series does. Windows slide over the lines and an alert ends when they have passed, so none needs
// keep_firing_for, which Loki drops without a word. Rules and the queries of annotations are LogQL.
local remedies = import '../remedies.json';

function(config, lib, annotations)
  local settings = config.loki;
  local lines = (import 'lines.libsonnet')(config, lib);

  // The labels of one cause.
  local cause = ['class', 'type', 'step', 'name'];
  local withCause = lines.failures + ' | fingerprint != ""';

  local times = '{{ printf "%.0f" $value }}';
  local requests = '{{ if eq $value 1.0 }}1 request{{ else }}' + times + ' requests{{ end }}';
  local inTheLast(range) = ' in the last ' + lib.inWords(range);

  local newFingerprint =
    local new = settings.newFingerprint;
    local fingerprint = lib.labels(['fingerprint']);
    local seen = lines.sum(lib.labels(['agent'] + cause + ['fingerprint']), withCause, 'requests', new.range);
    local before = lines.count(fingerprint, lines.firstFailures + ' | fingerprint != ""', new.memory, new.range);
    // A bridge writes a line of itself each minute. Without one from before, everything would be new.
    local bridges = lines.count(lib.labels([]), lines.bridges, new.memory, new.memory);
    annotations.alert(
      'AgentErrorFingerprintNew',
      'warning',
      'agent-team',
      '(\n  ' + seen + ' >= ' + new.atLeast + '\n  unless on (' + fingerprint + ')\n  ' + before + '\n)\nand on (' + lib.labels([]) + ')\n' + bridges,
      {
        summary: 'An agent fails in a way that it has not failed in before',
        description: requests + ' of ' + lib.agentAffected + ' failed' + inTheLast(new.range) + ' in a way that was not seen in the '
                     + lib.inWords(new.memory) + ' before; an alert begins at ' + new.atLeast + '.',
        value: times,
        limit: '' + new.atLeast,
        dashboard: 'errors',
        cause: annotations.labelled('new: fingerprint {{ $labels.fingerprint }}'),
      },
      who=lib.labelsOf(['agent'])
    );

  local burst =
    local range = settings.burst.range;
    local before = settings.burst.before;
    // Those two have alerts of their own.
    local causes = withCause + ', type != "context_overflow", type != "deadlock"';
    local sum(range) = lines.sum(lib.labels(['tenant_id', 'agent'] + cause), causes, 'requests', range);
    // Without `offset`, which Grafana's editor cannot read behind an unwrap: the time before is all of it less the range.
    local all = lib.duration(lib.seconds(before) + lib.seconds(range));
    annotations.alert(
      'AgentRootCauseBurst',
      'warning',
      'agent-oncall',
      sum(range) + ' >= ' + settings.burst.atLeast + '\nunless\n'
      + sum(range) + ' < ' + settings.burst.factor + ' * (' + sum(all) + ' - ' + sum(range) + ') / ' + lib.seconds(before) / lib.seconds(range),
      {
        summary: 'One root cause fails many requests of a tenant at once',
        description: requests + ' of ' + lib.affected + ' failed' + inTheLast(range) + ' for one reason, at least ' + settings.burst.factor
                     + ' times as many as was usual in the ' + lib.inWords(before) + ' before; an alert begins at ' + settings.burst.atLeast + '.',
        value: times,
        limit: '' + settings.burst.atLeast,
        dashboard: 'errors',
        cause: annotations.labelled(requests + inTheLast(range)),
      }
    );

  local overflows =
    local overflow = settings.contextOverflow;
    annotations.alert(
      'AgentContextOverflowBurst',
      'warning',
      'agent-team',
      lines.sum(lib.labels(['tenant_id', 'agent'] + cause), lines.failures + ' | type = "context_overflow"', 'requests', overflow.range) + ' >= ' + overflow.atLeast,
      {
        summary: 'Contexts of an agent overflow',
        description: requests + ' of ' + lib.affected + ' failed' + inTheLast(overflow.range)
                     + ' because their context was too long; an alert begins at ' + overflow.atLeast + '.',
        value: times,
        limit: '' + overflow.atLeast,
        dashboard: 'errors',
        cause: annotations.labelled(requests + inTheLast(overflow.range)),
      }
    );

  local deadlocks =
    local deadlock = settings.deadlock;
    // In the text and not in the metadata, so that it is found wherever it is in the chain of errors. No value of a stranger can look like it: in a JSON
    // string its quotes would have backslashes.
    local evidence = lines.requests + ' |= `"type":"deadlock"`';
    annotations.alert(
      'AgentDeadlockSeen',
      'warning',
      'agent-oncall',
      lines.sum(lib.labels(['tenant_id', 'agent']), evidence, 'requests', deadlock.range) + ' >= ' + deadlock.atLeast,
      {
        summary: 'Agents wait for each other, or one goes round in a circle',
        description: requests + ' of ' + lib.affected + ' had a deadlock among their errors' + inTheLast(deadlock.range)
                     + '; an alert begins at ' + deadlock.atLeast + '.',
        value: times,
        limit: '' + deadlock.atLeast,
        dashboard: 'errors',
        cause: annotations.known('agent: deadlock, ' + requests + inTheLast(deadlock.range), remedies.errors.deadlock.remedy) {
          root_cause_class: remedies.errors.deadlock.class,
          root_cause_type: 'deadlock',
          root_cause_step: 'agent',
          root_cause_name: '{{ $labels.agent }}',
        },
      }
    );

  local noSuccess =
    local none = settings.noSuccess;
    local who = lib.labelsOf(['tenant_id']);
    local told(field) = lines.sum(lib.labels(['tenant_id']), lines.tallies, field, none.range);
    local own = lines.failures + ' | ' + std.join(', ', [label + '=%q' for label in who]);
    annotations.alert(
      'TenantWithoutSuccess',
      'critical',
      'agent-oncall',
      told('failed') + ' >= ' + none.atLeast + '\nunless\n' + told('succeeded') + ' > 0',
      {
        summary: 'Every request of a tenant fails',
        description: requests + ' of ' + lib.tenantAffected + ' failed' + inTheLast(none.range) + ' and none succeeded; an alert begins at ' + none.atLeast + '.',
        value: times,
        limit: '' + none.atLeast,
        dashboard: 'tenant',
        cause: annotations.logged(
          lines.sum(std.join(', ', cause), own, 'requests', none.range),
          '{{ printf "%.0f" .Value }}' + inTheLast(none.range),
          who
        ),
      },
      who=who
    );

  {
    rules: [],
    alerts: [
      // Reads a day of them.
      lib.group('loki-new', [newFingerprint], settings.longRangeEvaluationInterval),
      lib.group('loki', [burst, overflows, deadlocks, noSuccess], settings.evaluationInterval),
    ],
  }
