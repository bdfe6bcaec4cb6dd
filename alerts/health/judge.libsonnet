// Whether the judge marks what it is asked to: it gives no marks, or its budget is spent. Few requests are judged, so both look back an hour.
function(config, lib, annotations)
  local health = config.health;
  local window = lib.range('1h');
  local recently = lib.inWords(window);
  local by = lib.labels(['instance']);
  local bridge = 'the bridge ' + lib.name('$labels.instance') + lib.where;
  local increase(metric, labels=by, matchers=[]) = lib.fill('sum by (%s) (increase(%s[%s]))', [labels, lib.series(metric, matchers), window]);
  local spent = 'reason=~"budget_.*"';
  // What a budget leaves out is told by itself, a request that failed may have no answer, and a stop cannot wait for ever.
  local unmarked = increase('spanbridge_judge_skipped_total', matchers=['reason!~"budget_.*|no_answer|shutdown"']);
  local asked = lib.fill('(%s + %s)', [unmarked, increase('spanbridge_judge_marks_total')]);
  local share = '{{ $value | humanizePercentage }}';
  local limit = '%g%%' % (health.judgeFailedShare * 100);

  // Errors of src/quality/judge/provider.ts.
  local errors = {
    '429': 'Lower concurrency, or have the limit of the account raised.',
    '4xx': 'Check the key, and whether the account may use the model: the log of the bridge has the status.',
    '5xx': 'See whether the provider has an incident; the judge tries again by itself.',
    timeout: 'Raise timeout, or lower concurrency for an endpoint of your own.',
    network: 'See whether the endpoint is reachable from the bridge.',
    malformed: 'Choose a model that keeps to a JSON schema.',
    out_of_range: 'Choose a model that keeps to a JSON schema.',
    truncated: 'Raise maxTokens: the thinking of a model counts.',
    refusal: 'Read what is refused with spanbridge judge; another model may mark it.',
  };
  // Reasons of src/quality/judge/counts.ts.
  local reasons = {
    no_content: 'Have the agents record question and answer on their spans: spanbridge judge --dry-run tells of a recording whether they do.',
    queue_full: 'Raise concurrency, or lower share.',
    too_late: 'Raise concurrency, or lower share.',
    redaction_failed: 'Correct the module that redact names: it fails, and nothing is sent that it has not seen.',
    unpriced: 'Give the model of the judge a price in the file that pricing names.',
  };
  local budgets = {
    budget_usd: 'Raise usdPerDay, or lower share.',
    budget_tenant_usd: 'Raise tenantUsdPerDay, or give the tenant a limit of its own in tenants.',
    budget_tenant_requests: 'Raise tenantRequestsPerDay, or give the tenant a limit of its own in tenants.',
  };
  local rule = { 'for': health['for'], keep_firing_for: lib.range(health.window) };
  local alert(name, expr, says) = annotations.alert(name, 'warning', 'platform', expr, { dashboard: 'quality' } + says, rule=rule, who=lib.what);
  local top(metric, label, table, matchers, nothing) = annotations.top(
    increase(metric, label, matchers + ['*']) + ' > 0',
    lib.fill('{{ .Labels.%s }}: {{ .Value | humanize }} in the last %s', [label, recently]),
    nothing.cause,
    annotations.choose(label, table, nothing.otherwise),
    nothing.remedy,
    who=lib.what,
  );
  // The error of a call where there is one, else why requests are not even asked about.
  local failing =
    local skipped = top('spanbridge_judge_skipped_total', 'reason', reasons, ['reason!~"failed|no_mark|budget_.*|no_answer|shutdown"'], {
      cause: 'nothing in the last ' + recently,
      remedy: 'Nothing: it has stopped.',
      otherwise: 'Read the log of the bridge.',
    });
    top('spanbridge_judge_errors_total', 'error', errors, [], { cause: skipped.root_cause, remedy: skipped.remedy, otherwise: 'Read the log of the bridge.' });

  lib.group('judge', [
    alert('SpanbridgeJudgeFailing', lib.fill('%s\n/\n%s\n> %s\nand\n%s >= %s', [unmarked, asked, health.judgeFailedShare, asked, health.judgeRequests]), {
      summary: 'The judge gives no mark for many of the requests it is asked about',
      description: share + ' of the requests that ' + bridge + ' had to have judged in the last ' + recently + ' got no mark, so that the quality of their agents is known from fewer; the limit is ' + limit + '.',
      value: share,
      limit: limit,
      cause: failing,
    }),
    alert('SpanbridgeJudgeBudgetSpent', increase('spanbridge_judge_skipped_total', matchers=[spent]) + ' > 0', {
      summary: 'The budget of the judge is spent',
      description: '{{ $value | humanize }} requests that ' + bridge + ' had to have judged in the last ' + recently + ' were not, because the budget of the day is spent.',
      value: '{{ $value | humanize }}',
      limit: '0',
      cause: top('spanbridge_judge_skipped_total', 'reason', budgets, [spent], {
        cause: 'none in the last ' + recently,
        remedy: 'Nothing: a new day has begun.',
        otherwise: 'Raise the budget, or lower share.',
      }),
    }),
  ])
