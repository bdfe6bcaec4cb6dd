// Alertmanager's configuration. An alert takes the first of these ways: the dead man's switch, the table of its tenant, the table of the team that owns
// it, the channels of everyone; and in each the way of its severity. `groups` are the alerts of the mixin.
local receivers = import 'receivers.libsonnet';
local inhibitions = import 'inhibitions.libsonnet';

function(config, groups)
  local settings = config.alertmanager;
  local alerts = [rule for group in groups for rule in group.rules if std.objectHas(rule, 'alert')];
  local severities = std.objectFields(settings.severities);

  // Labels of `by` or `equal`, with the cluster where there is one.
  local group(labels) = labels + (if config.clusterLabel == '' then [] else [config.clusterLabel]);
  local is(label, value) = label + '=' + std.escapeStringJson(value);

  local timing(severity) = {
    group_by: group(severity.by),
    group_wait: severity.groupWait,
    group_interval: severity.groupInterval,
    repeat_interval: severity.repeatInterval,
  };

  // Nobody who has to get up is asleep by configuration.
  assert std.get(settings.severities.critical, 'muteTimes', []) == [] : 'cannot mute critical alerts: muteTimes are for tickets';
  local muted(severity) = local times = std.get(severity, 'muteTimes', []); if times == [] then {} else { mute_time_intervals: times };
  local muteTimes = std.set(std.flatMap(function(severity) std.get(settings.severities[severity], 'muteTimes', []), severities));

  local hours(name) =
    assert std.objectHas(settings.timeIntervals, name) : 'cannot mute in %s: it is not in alertmanager.timeIntervals' % name;
    { name: name, time_intervals: settings.timeIntervals[name] };

  // Ways of one table: { receivers, routes }, one of each for a severity. `name` goes in front of the names of receivers.
  local ways(name, channels) =
    local all = [
      local integrations = receivers.integrations(channels, settings.severities[severity].to, name + severity);
      { severity: severity, integrations: integrations, receiver: if std.length(integrations) == 0 then 'nobody' else name + severity }
      for severity in severities
    ];
    assert std.length([way for way in all if way.severity == 'critical' && way.receiver != 'nobody']) == 1 :
           'cannot route %scritical: none of its channels (%s) is configured' % [name, std.join(', ', settings.severities.critical.to)];
    {
      receivers: [{ name: way.receiver } + way.integrations for way in all if way.receiver != 'nobody'],
      routes: [
        { matchers: [is('severity', way.severity)], receiver: way.receiver } + timing(settings.severities[way.severity]) + muted(settings.severities[way.severity])
        for way in all
      ],
    };

  // Tables with nothing of their own take the way of everyone.
  local tables(kind, label, all) = [
    { matchers: [is(label, key), 'severity=~"' + std.join('|', severities) + '"'] } + ways(kind + '/' + key + '/', std.mergePatch(settings.channels, all[key]))
    for key in std.objectFields(all)
    if all[key] != {}
  ];
  local own = tables('tenant', 'tenant_id', config.routing.tenants) + tables('team', 'owner', config.routing.teams);
  local everyone = ways('', settings.channels);

  // Others have a Watchdog too. Theirs is not the proof that ours gets through, and pages nobody either.
  local watchdogs = [alert for alert in alerts if alert.alert == 'Watchdog'];
  local heartbeat = settings.watchdog.urlFile != null;
  local watchdog(matchers, receiver) = {
    matchers: ['alertname="Watchdog"'] + matchers,
    receiver: receiver,
    group_by: group(['alertname']),
    group_wait: '0s',
    group_interval: settings.watchdog.interval,
    repeat_interval: settings.watchdog.interval,
  };
  local isOurs(alert) = [is(label, alert.labels[label]) for label in std.objectFields(alert.labels)];

  {
    templates: settings.templates,

    // What is not from the mixin and has no severity that it knows is told like a ticket.
    route: { receiver: 'unrouted' } + timing(settings.severities.warning) + {
      routes:
        [watchdog(isOurs(alert), if heartbeat then 'watchdog' else 'nobody') for alert in watchdogs] + [watchdog([], 'nobody')]
        + [{ matchers: table.matchers, receiver: 'unrouted', routes: table.routes } for table in own]
        + everyone.routes,
    },

    inhibit_rules: inhibitions(settings, group, alerts),

    receivers:
      [{ name: 'nobody' }, { name: 'unrouted' } + receivers.integrations(settings.channels, settings.severities.warning.to, 'unrouted')]
      // A heartbeat that is resolved would be one more heartbeat.
      + (if heartbeat then [{ name: 'watchdog', webhook_configs: [{ url_file: settings.watchdog.urlFile, send_resolved: false }] }] else [])
      + std.flatMap(function(table) table.receivers, own)
      + everyone.receivers,
  } + (if muteTimes == [] then {} else {
         time_intervals: std.map(hours, muteTimes),
       })
