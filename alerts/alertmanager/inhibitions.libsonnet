// Which alert makes which silent. Two alerts that both lack a label of `equal` are equal in it: for a request without a tenant, or a place without a
// cluster, that is meant. Alerts of other origin lack all of them, so both sides of every rule are named: what is not in the mixin is never on one.
function(settings, group, alerts)
  // An alert that a user has put beside these may have no labels.
  local severity(alert) = std.get(std.get(alert, 'labels', {}), 'severity', '');
  local names = std.set([alert.alert for alert in alerts]);
  local paging = std.set([alert.alert for alert in alerts if severity(alert) == 'critical']);
  local ticketed = std.set([alert.alert for alert in alerts if severity(alert) == 'warning']);
  local has(name) = std.setMember(name, names);
  local paged = std.setInter(paging, ticketed);
  local named(names) = 'alertname=~"' + std.join('|', names) + '"';

  local pageOverTicket = {
    source_matchers: [named(paged), 'severity="critical"'],
    target_matchers: [named(paged), 'severity="warning"'],
    equal: ['alertname', 'objective', 'instance'] + group(['tenant_id', 'agent']),
  };

  // Of a table's line: tickets, and pages only by a page.
  local told(inhibition) =
    local says = std.filter(has, inhibition.says);
    local silent = std.filter(has, inhibition.silent);
    local pages = std.filter(function(name) std.setMember(name, paging), silent);
    local between(targets, source, target) =
      if says == [] || targets == [] then [] else [
        { source_matchers: [named(says)] + source, target_matchers: [named(targets)] + target, equal: group(inhibition.by) },
      ];
    local both = std.setInter(std.set(inhibition.says), std.set(inhibition.silent));
    assert both == [] : 'cannot inhibit %s: it would silence itself' % std.join(', ', both);
    between(silent, [], ['severity!="critical"']) + between(pages, ['severity="critical"'], ['severity="critical"']);

  (if paged == [] then [] else [pageOverTicket]) + std.flatMap(told, settings.inhibitions)
