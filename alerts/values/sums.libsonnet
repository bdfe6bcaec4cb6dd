// Sums over long times, from sums over an hour. An increase over a day or a month would read every raw sample of it at every evaluation; the
// hour's increase is read once, recorded, and added up in steps. `steps` of one hour overlap where they are shorter than it, and every event is
// then in as many of them: the sum is divided by that. What has just happened enters a long sum within the hour.
function(config, lib)
  local hour = lib.seconds('1h');
  {
    // What a counter, or a histogram's _sum or _count, rose by within the hour, by some of its labels.
    hour(record, labels, series): {
      record: record + ':increase1h',
      expr: lib.fill('sum by (%s) (increase(%s[1h]))', [lib.labels(labels), series]),
    },

    // A counter whose first sample is an event has no increase for it, which matters where events are few: a series without a sample in the
    // hour before counts with its whole value.
    hourOfFew(record, labels, series): {
      record: record + ':increase1h',
      expr: lib.fill(|||
        sum by (%s) (
          (%s unless present_over_time(%s[1h] offset 1h))
          or
          increase(%s[1h])
        )
      |||, [lib.labels(labels), series, series, series]),
    },

    day(record): self.over(record + ':increase1h', '1d', '5m'),

    over(increase1h, range, step): self.divided(lib.fill('sum_over_time(%s[%s:%s])', [increase1h, range, step]), hour / lib.seconds(step)),

    // The last 30 days, or with offset the 30 before, of the day's increase at every sixth hour: a sample that is missing costs a quarter of a
    // day, where one a day would cost the day.
    month(increase1d, offset=''): self.divided(lib.fill('sum_over_time(%s[30d:6h]%s)', [increase1d, offset]), 4),
    daysOf(increase1d, offset=''): self.divided(lib.fill('count_over_time(%s[30d:6h]%s)', [increase1d, offset]), 4),
    before: ' offset 30d',

    divided(expr, by): if by == 1 then expr else lib.fill('%s / %s', [expr, by]),
  }
