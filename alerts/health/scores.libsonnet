// Whether scores of others arrive: a source that cannot be read, and scores that are not counted or are nobody's. Both look back an hour.
function(config, lib, annotations)
  local health = config.health;
  local window = lib.range('1h');
  local recently = lib.inWords(window);
  local bridge = 'the bridge ' + lib.name('$labels.instance') + lib.where;
  // Where one of them has no series yet, the others are all there is.
  local both(a, b) = lib.fill('sum by (%s) (increase(%s[%s]) or increase(%s[%s]))', [lib.labels(['instance']), a, window, b, window]);
  local lost = both(lib.series('spanbridge_scores_rejected_total'), lib.series('spanbridge_scores_unmatched_total'));
  // Those for no tenant are counted too.
  local given = both(lib.series('spanbridge_scores_rejected_total'), lib.series('agent_quality_score_count', ['layer!="unit"']));
  local share = '{{ $value | humanizePercentage }}';

  // Reasons of src/spans/scale.ts, and of scores without a request.
  local reasons = {
    out_of_range: 'Tell the bridge the scale of the evaluator (scores.scales), or make it 0 to 1.',
    unknown_label: 'Tell the bridge what the word is worth (scores.labels), or send a number.',
    no_score: 'Let the evaluator send a score or a label.',
    no_trace: 'Emit the result within the trace that it is about, or give its trace id.',
    too_many: 'Send the scores of a span in more than one span.',
    malformed: 'Read the answer of POST /v1/scores: it names what is wrong.',
    no_request: 'See whether the scores carry the id of the trace that the agents send, and raise scores.rememberFor if they come late.',
    crowded: 'Scores come before their requests: send them after these.',
  };
  local all = lib.fill('sum by (reason) (increase(%s[%s]) or increase(%s[%s])) > 0', [lib.series('spanbridge_scores_rejected_total', ['*']), window, lib.series('spanbridge_scores_unmatched_total', ['*']), window]);

  lib.group('scores', [
    annotations.alert('SpanbridgeScorePollsFailing', 'warning', 'platform', lib.fill('max by (%s) (%s) > %s', [lib.labels(['instance', 'source']), lib.series('spanbridge_score_poll_age_seconds'), lib.seconds(health.scorePollAge)]), {
      summary: 'A source of scores cannot be read',
      description: 'No scores of {{ $labels.source }} could be read by ' + bridge + ' for {{ $value | humanizeDuration }}; the limit is ' + lib.inWords(health.scorePollAge) + '. None is lost: it is read on from where it was left.',
      value: '{{ $value | humanizeDuration }}',
      limit: health.scorePollAge,
      dashboard: 'quality',
      cause: annotations.known('{{ $labels.source }} gives no answer that can be read', 'Read what the bridge says of it in its log: the key may have expired, the address be wrong, or its limit of requests be reached.'),
    }, who=lib.what),
    annotations.alert('SpanbridgeScoresLost', 'warning', 'platform', lib.fill('%s\n/\n%s\n> %s\nand\n%s >= %s', [lost, given, health.scoresLostShare, lost, health.scoresLost]), {
      summary: 'Many scores are not counted, or for nobody',
      description: share + ' of the scores that ' + bridge + ' was given in the last ' + recently + ' are not counted, or for no tenant; the limit is ' + '%g%%' % (health.scoresLostShare * 100) + '.',
      value: share,
      limit: '%g%%' % (health.scoresLostShare * 100),
      dashboard: 'quality',
      cause: annotations.top(
        all,
        '{{ .Labels.reason }}: {{ .Value | printf "%.0f" }} in the last ' + recently,
        'none in the last ' + recently,
        annotations.choose('reason', reasons, 'Read the log of the bridge.'),
        'Nothing: it has stopped.',
        who=lib.what,
      ),
    }, rule={ 'for': health['for'], keep_firing_for: lib.range(health.window) }, who=lib.what),
  ])
