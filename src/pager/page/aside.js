// What stands beside the pages: fragments that the server renders, fetched anew now and then while somebody looks.
const EVERY_MS = 15_000

const places = [...document.querySelectorAll('[data-fragment]')]
for (const place of places) show(place)
setInterval(() => { if (!document.hidden) for (const place of places) show(place) }, EVERY_MS)
document.addEventListener('visibilitychange', () => { if (!document.hidden) for (const place of places) show(place) })

async function show(place, init) {
  // Not under the hands of who is choosing.
  if (init === undefined && place.contains(document.activeElement)) return
  try {
    const response = await fetch(place.dataset.fragment + (init?.path ?? ''), { cache: 'no-store', ...init })
    const text = await response.text()
    if (!response.ok) throw new Error(JSON.parse(text).error)
    const kept = [...place.querySelectorAll('select')].map(({ value }) => value)
    place.replaceChildren(...new DOMParser().parseFromString(text, 'text/html').body.childNodes)
    place.querySelectorAll('select').forEach((select, at) => { if (kept[at] !== undefined) select.value = kept[at] })
  } catch (error) {
    const trouble = place.querySelector('#demo-trouble') ?? place.appendChild(Object.assign(document.createElement('p'), { className: 'trouble' }))
    trouble.textContent = error.message
    trouble.hidden = false
  }
}

document.addEventListener('submit', (event) => {
  const form = event.target.closest('#strike')
  if (!form) return
  event.preventDefault()
  const { fault, tenant } = Object.fromEntries(new FormData(form))
  show(form.closest('[data-fragment]'), {
    path: '/faults', method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ fault, ...(tenant && { tenant }), seconds: 300 }),
  })
})

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-heal]')
  if (button) show(button.closest('[data-fragment]'), { path: `/faults/${encodeURIComponent(button.dataset.heal)}`, method: 'DELETE' })
})
