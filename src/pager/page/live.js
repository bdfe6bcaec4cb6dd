// Keeps the list current. The server renders; this only fetches its fragment and puts in what differs, so that
// focus, scroll position and opened evidence stay where they are.
const RELATIVE_TIME_MS = 60_000
const POLL_MS = 10_000
const RETRY_STREAM_MS = 30_000
const MARKED_MS = 60_000
const FOCUSABLE = 'a, summary, button, select, [tabindex]'

const main = document.getElementById('incidents')
const announce = document.getElementById('announce')
const live = document.getElementById('live')
let version = document.getElementById('state').dataset.version
let stream
let timer
let unreachable = false
let running = false
let again = false

listen()

function listen() {
  stream = new EventSource('pager/events')
  stream.addEventListener('hello', (event) => {
    showState()
    if (event.data !== version) refresh()
  })
  stream.addEventListener('incident', refresh)
  stream.onerror = () => {
    showState()
    // Closed for good (the server refused): the browser does not try again by itself.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_STREAM_MS)
  }
}

// A button of an incident has done something: its answer is on the way here, and need not be waited for.
document.addEventListener('pager:acted', () => refresh())
document.addEventListener('visibilitychange', () => document.hidden || refresh())

/** Says how the list is kept current, and asks often enough for it. */
function showState() {
  const streaming = stream.readyState === EventSource.OPEN
  live.dataset.state = unreachable ? 'lost' : streaming ? 'live' : 'polling'
  live.querySelector('.word').textContent = unreachable ? 'Bridge unreachable' : streaming ? 'Live' : 'Polling'
  clearInterval(timer)
  timer = setInterval(refresh, streaming ? RELATIVE_TIME_MS : POLL_MS)
}

async function refresh() {
  if (running) return void (again = true)
  running = true
  try {
    do {
      again = false
      const response = await fetch(`pager/list${location.search}`, { cache: 'no-store' })
      if (!response.ok) throw new Error(`status ${response.status}`)
      put(new DOMParser().parseFromString(await response.text(), 'text/html').body)
    } while (again)
    if (unreachable) {
      unreachable = false
      showState()
    }
  } catch {
    unreachable = true
    showState()
  } finally {
    running = false
  }
}

function put(next) {
  const focus = focusPath()
  const anchor = firstVisible()
  const anchorTop = anchor?.getBoundingClientRect().top
  for (const id of ['state', 'more']) {
    const [old, fresh] = [main.querySelector(`#${id}`), next.querySelector(`#${id}`)]
    if (old.outerHTML !== fresh.outerHTML) old.replaceWith(fresh)
  }
  const news = putList(main.querySelector('#list'), next.querySelector('#list'))
  const state = main.querySelector('#state')
  version = state.dataset.version
  document.title = state.dataset.title
  if (anchor?.isConnected) scrollBy(0, anchor.getBoundingClientRect().top - anchorTop)
  restoreFocus(focus)
  if (news.length > 0) announce.textContent = news.join('. ')
}

/** Brings `list` to what `next` holds, moving as little as possible; returns what to say aloud. */
function putList(list, next) {
  const news = []
  let place = list.firstElementChild
  for (const fresh of [...next.children]) {
    const old = document.getElementById(fresh.id)
    let node = fresh
    if (old && old.dataset.version === fresh.dataset.version) {
      node = old
      syncTimes(old, fresh)
    } else {
      if (old) carryOver(old, fresh)
      if (fresh.matches('.incident')) {
        const rose = !old || old.dataset.rank !== fresh.dataset.rank
        if (rose) mark(fresh)
        const word = fresh.matches('.resolved') ? 'Resolved' : 'Firing'
        if (rose || old.matches('.resolved') !== fresh.matches('.resolved')) news.push(`${word}: ${fresh.querySelector('h2').textContent}`)
      }
      if (old === place) place = old.nextElementSibling
      old?.remove()
    }
    if (node === place) place = place.nextElementSibling
    else list.insertBefore(node, place)
  }
  while (place) {
    const rest = place.nextElementSibling
    place.remove()
    place = rest
  }
  return news
}

function mark(incident) {
  incident.classList.add('arrived')
  setTimeout(() => document.getElementById(incident.id)?.classList.remove('arrived'), MARKED_MS)
}

function carryOver(old, fresh) {
  const [from, to] = [old.querySelector('details'), fresh.querySelector('details')]
  if (from?.open) to.open = true
  if (old.matches('.arrived')) fresh.classList.add('arrived')
}

function syncTimes(old, fresh) {
  const times = fresh.querySelectorAll('time')
  old.querySelectorAll('time').forEach((time, at) => {
    if (times[at] && time.textContent !== times[at].textContent) time.textContent = times[at].textContent
  })
}

/** The focused element by its place in the element with an id around it: its node may be replaced. */
function focusPath() {
  const element = document.activeElement
  const owner = main.contains(element) && element.closest('.incident, [id]')
  const root = owner && (element.closest('.incident') ?? owner)
  return root ? { element, id: root.id, index: [...root.querySelectorAll(FOCUSABLE)].indexOf(element) } : null
}

function restoreFocus(path) {
  if (!path || document.activeElement === path.element) return
  const root = document.getElementById(path.id)
  const element = path.index < 0 ? root : root?.querySelectorAll(FOCUSABLE)[path.index]
  element?.focus({ preventScroll: true })
}

function firstVisible() {
  if (scrollY < 40) return null
  return [...main.querySelectorAll('.incident')].find((one) => one.getBoundingClientRect().bottom > 0)
}
