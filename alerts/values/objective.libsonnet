// What the objectives of this room have in common: the rule of the value now, and the comparison that breaks the objective.
local documented = (import '../objectives.json').objectives;

function(config, lib, annotations) {
  local room = self,

  of(id): [objective for objective in documented if objective.id == id][0],

  value(id, expr): { record: 'tenant_agent:objective:value', labels: { objective: id }, expr: expr },

  // What does not hold any more: 0.85 is not above 0.85.
  local broken = { '<': '>=', '<=': '>', '>': '<=' },

  // The labels of value and limit are the same, so they meet one to one.
  expr(id):
    lib.fill('tenant_agent:objective:value{objective="%s"} %s tenant_agent:objective:limit{objective="%s"}', [id, broken[self.of(id).comparison], id]),

  // For an objective without a documented limit: that of the configuration, or else `otherwise`.
  exprOr(id, otherwise): lib.fill(|||
    tenant_agent:objective:value{objective="%s"} %s (
      tenant_agent:objective:limit{objective="%s"}
      or
      0 * tenant_agent:objective:value{objective="%s"} + %s
    )
  |||, [id, broken[self.of(id).comparison], id, id, '%g' % otherwise]),

  // The limit in words; `format` is a pipeline that shows a number.
  limit(id, format, who=lib.who):
    lib.query(lib.fill('tenant_agent:objective:limit{objective="%s",*}', [id]), lib.fill('{{ . | first | value | %s }}', [format]), 'unknown', who),
  limitOr(id, otherwise, format):
    lib.query(lib.fill('tenant_agent:objective:limit{objective="%s",*} or on () vector(%s)', [id, '%g' % otherwise]), lib.fill('{{ . | first | value | %s }}', [format])),

  // An alert for the objective, with its severity and its owner.
  alert(name, id, expr, says, rule, who=lib.who):
    local objective = self.of(id);
    annotations.alert(name, objective.severity, objective.owner, expr, says, { objective: id }, rule, who),

  // An agent without its tenant, for what has none.
  agent: '{{ if $labels.agent }}agent ' + lib.name('$labels.agent') + '{{ else }}an unnamed agent{{ end }}'
         + std.join('', [lib.fill(', {{ if $labels.%s }}%s %s{{ else }}no %s{{ end }}', [label, label, lib.name('$labels.' + label), label]) for label in room.cluster]),
  cluster: [label for label in lib.who if !std.member(['tenant_id', 'agent'], label)],
}
