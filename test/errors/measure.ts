/** `node test/errors/measure.ts`: the figures, and the mistakes of the half that rules may be improved on. */
import { agreement, confusion, told } from './agreement.ts'
import { classified, isHeldOut, LATER, PUBLISHED, RECORDED } from './labelled.ts'

for (const [name, rows] of [['published', PUBLISHED], ['recorded', RECORDED]] as const) {
  console.log(`${name}: tune ${told(agreement(rows.filter((row) => !isHeldOut(row))))}, held out ${told(agreement(rows.filter(isHeldOut)))}`)
}
console.log(`later, not held out: ${told(agreement(LATER))}`)
console.log(confusion(PUBLISHED.filter((row) => !isHeldOut(row))))
for (const row of [...PUBLISHED, ...RECORDED].filter((each) => !isHeldOut(each)).concat(LATER)) {
  const { is, rule } = classified(row)
  if (is !== row.expected) console.log(`${row.id} (${row.step}): ${is} by ${rule}, not ${row.expected}`)
}
