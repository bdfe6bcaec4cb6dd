/** Panels of which some query may find nothing though all is well, or of which one may, and why. */
const NO_MONTH = 'a month is compared with the month before, which a test does not have'
const TEN_MINUTES = 'the calendar month is summed up in steps of ten minutes, and a test is shorter'
const HALF_HOUR = 'a week is summed up in steps of half an hour, and a test is shorter'
const NO_VERDICT = 'a person says on a page whether its cause was right, and nobody is paged in this test'
const NO_PAGE = 'an incident begins with a page, and nobody pages in this test'

export const MAY_BE_EMPTY: Readonly<Record<string, string>> = {
  'spanbridge-overview: Cost growth': NO_MONTH,
  'spanbridge-overview: Quality change': NO_MONTH,
  'spanbridge-cost: Growth, month over month': NO_MONTH,
  'spanbridge-cost: Growth': NO_MONTH,
  'spanbridge-quality: Change, month over month': NO_MONTH,
  'spanbridge-quality: Kappa D': 'what a judge was is looked at hour by hour, and a test is shorter',
  'spanbridge-cost: Spent this month': TEN_MINUTES,
  'spanbridge-cost: Forecast for this month': TEN_MINUTES,
  'spanbridge-overview: Cost optimisation space': HALF_HOUR,
  'spanbridge-overview: Error classification accuracy': NO_VERDICT,
  'spanbridge-errors: Classification accuracy': NO_VERDICT,
  'spanbridge-errors: Wrong types': NO_VERDICT,
  'spanbridge-errors: What bad requests have in common': 'in this test nothing stands out: every tenant, version and tool has its faults',
  'spanbridge-errors: Time to root cause': NO_PAGE,
  'spanbridge-overview: Time from an anomaly to its root cause': NO_PAGE,
}
