// The buttons and keys of the incidents. The server decides what may be done; a refusal is shown where it happened.
const NAME = 'spanbridge-pager-name'
const me = document.getElementById('me')
const help = document.getElementById('help')

me.value = localStorage.getItem(NAME) ?? ''
me.addEventListener('change', () => localStorage.setItem(NAME, me.value.trim()))
document.getElementById('keys').addEventListener('click', () => help.showModal())

document.addEventListener('click', (event) => {
  const button = event.target.closest('.controls [data-deed]')
  if (button) act(button.closest('.controls'), { deed: button.dataset.deed }, button)
})

document.addEventListener('change', (event) => {
  const select = event.target.closest('.controls select')
  if (select?.value) act(select.closest('.controls'), { deed: 'corrected', actual: select.value }, select)
})

async function act(controls, action, control) {
  const trouble = controls.querySelector('.trouble')
  trouble.hidden = true
  control.disabled = true
  try {
    const response = await fetch(`pager/api/incidents/${controls.dataset.incident}/actions`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ ...action, by: me.value.trim() }),
    })
    if (!response.ok) throw new Error((await response.json()).error)
    document.dispatchEvent(new Event('pager:acted'))
  } catch (error) {
    trouble.textContent = error.message
    trouble.hidden = false
    if (control.matches('select')) control.value = ''
  } finally {
    control.disabled = false
  }
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  a: () => press('acknowledged', 'unacknowledged'),
  r: () => press('closed'),
  y: () => press('confirmed'),
  e: () => current()?.querySelector('summary').click(),
  '?': () => help.showModal(),
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open || event.target.closest('input, select, textarea')) return
  const key = KEYS[event.key]
  if (key === undefined) return
  event.preventDefault()
  key()
})

const incidents = () => [...document.querySelectorAll('article.incident')]

/** The incident that has the focus, or else the first one that is seen. */
function current() {
  const all = incidents()
  return document.activeElement.closest('article.incident') ?? all.find((one) => one.getBoundingClientRect().bottom > 80) ?? all[0]
}

function move(by) {
  const all = incidents()
  const focused = document.activeElement.closest('article.incident')
  const next = focused ? all[all.indexOf(focused) + by] : all[0]
  if (!next) return
  next.focus({ preventScroll: true })
  next.scrollIntoView({ block: 'nearest' })
}

function press(...deeds) {
  const incident = current()
  const button = deeds.map((deed) => incident?.querySelector(`[data-deed="${deed}"]`)).find(Boolean)
  button?.click()
}
