// Keeps the figures up to date. Without it they are those of the time the page was loaded.
setInterval(async () => {
  if (document.hidden) return;
  const old = document.getElementById("requests");
  const answer = await fetch(`/requests${location.search}`).catch(() => null);
  old.classList.toggle("stale", !answer?.ok);
  if (!answer?.ok) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = await answer.text();
  const place = (element) => element.getAttribute("href") ?? element.parentElement.id;
  const focused = old.contains(document.activeElement) ? place(document.activeElement) : null;
  for (const service of fresh.content.querySelectorAll("details")) {
    service.open = old.querySelector(`#${service.id}`)?.open ?? service.open;
  }
  old.replaceWith(fresh.content);
  [...document.querySelectorAll("#requests :is(a, summary)")].find((e) => place(e) === focused)?.focus();
}, 5000);
