// A person's mark of an answer. It stays where it was given until the incident is drawn again.
document.addEventListener('change', async (event) => {
  const select = event.target.closest('select.mark')
  if (!select?.value) return
  const { value } = select
  select.disabled = true
  try {
    const response = await fetch('pager/api/marks', {
      method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ trace: select.dataset.trace, mark: Number(value), by: document.getElementById('me').value.trim() }),
    })
    if (!response.ok) throw new Error((await response.json()).error)
    say(`Marked ${value} of 5`)
  } catch (error) {
    select.value = ''
    say(error.message)
  } finally {
    select.disabled = false
  }
})

function say(text) {
  document.getElementById('announce').textContent = text
}
