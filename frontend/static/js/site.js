// What a page cannot say in HTML and htmx alone. All words stand in the HTML.

// Trouble: what did not arrive is said where it was tried, else in a bar; a bar
// stands there while the browser is offline.
(() => {
  const at = (id) => document.getElementById(id);
  const note = ({ detail: { ctx } }) => {
    const now = at(ctx?.sourceElement.id); // a search may have put another in its place
    return now?.dataset.note && htmx.find(now, now.dataset.note);
  };
  document.addEventListener("htmx:before:request", (event) => note(event)?.replaceChildren());
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.sourceElement.id === "live") return; // counts wait quietly
    const place = note(event);
    if (place) place.replaceChildren(at("unreached").content.cloneNode(true));
    else at("trouble").hidden = !navigator.onLine;
  });
  document.addEventListener("htmx:after:request", () => { at("trouble").hidden = true; });
  const connection = () => {
    at("offline").hidden = navigator.onLine;
    at("trouble").hidden = true;
  };
  addEventListener("offline", connection);
  addEventListener("online", connection);
  connection();
})();

// What refreshes by itself waits while nobody looks.
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden && event.target.matches?.("[data-live]")) event.preventDefault();
});

// Counts: a vote shows at once and is undone if it fails. Live counts of a piece
// wait until a moment after its vote: they might be from before it.
(() => {
  const settle = 1000, tooSoon = 400; // ms
  const counts = (id) => document.querySelectorAll(`[data-count="${id}"]`);
  const show = (id, text) => counts(id).forEach((count) => { count.textContent = text; });
  const sent = new Map(), held = new Map(), undo = new WeakMap();
  const vote = (event) => {
    const form = event.detail.ctx?.sourceElement;
    return form?.matches?.(".vote") ? form : null;
  };
  const pieceOf = (form) => form.querySelector("[data-count]").dataset.count;

  const flip = (form) => {
    const id = pieceOf(form), button = form.querySelector("button"), word = button.querySelector("span").firstChild;
    const [before, label] = [counts(id)[0].textContent, word.data];
    const voted = button.classList.toggle("voted"), n = Number(before.replace(/\D/g, "")) + (voted ? 1 : -1);
    word.data = voted ? "Voted" : "Vote";
    show(id, `${n.toLocaleString("en")} vote${n === 1 ? "" : "s"}`);
    undo.set(form, () => {
      button.classList.toggle("voted", !voted);
      word.data = label;
      show(id, before);
    });
  };
  const failed = (event) => {
    const form = vote(event);
    if (form) undo.get(form)?.();
  };

  // The second of a double click is not a change of mind.
  document.addEventListener("htmx:config:request", (event) => {
    const form = vote(event);
    if (!form) return;
    if (event.timeStamp - (sent.get(form.id) ?? -Infinity) < tooSoon) event.preventDefault();
    sent.set(form.id, event.timeStamp);
    event.detail.ctx.request.keepalive = true; // a person who goes on at once has voted all the same
  });
  document.addEventListener("htmx:before:request", (event) => {
    const form = vote(event);
    if (!form) return;
    clearTimeout(held.get(pieceOf(form))?.timer);
    held.set(pieceOf(form), {});
    if (document.body.hasAttribute("data-person")) flip(form); // who is nobody is led to the sign-in
  });
  document.addEventListener("htmx:response:error", failed);
  document.addEventListener("htmx:error", failed);
  document.addEventListener("htmx:finally:request", (event) => {
    const form = vote(event);
    if (!form) return;
    const id = pieceOf(form), hold = held.get(id);
    hold.timer = setTimeout(() => {
      held.delete(id);
      if (hold.text) show(id, hold.text);
    }, settle);
  });
  document.addEventListener("htmx:before:swap", (event) => {
    if (event.detail.ctx.sourceElement.id !== "live") return;
    for (const task of event.detail.tasks) {
      const hold = held.get(task.target?.dataset.count);
      if (!hold) continue;
      hold.text = task.fragment.textContent;
      task.target = null;
    }
  });
})();

// Who asks for more pieces goes on at the first of them; who scrolls stays.
(() => {
  let last;
  document.addEventListener("htmx:before:swap", (event) => {
    const { sourceElement, sourceEvent } = event.detail.ctx;
    last = sourceElement.id === "more-link" && sourceEvent?.type === "click" ? document.querySelector(".card:last-child") : null;
  });
  document.addEventListener("htmx:after:swap", () => last?.nextElementSibling?.querySelector("a").focus());
})();

// Who signs in comes back to what the page shows by then.
document.addEventListener("htmx:after:history:update", () => {
  for (const link of document.querySelectorAll('.site-nav :is([href^="/login"], [href^="/register"])')) {
    const url = new URL(link.href);
    url.searchParams.set("next", location.pathname + location.search);
    link.href = url.pathname + url.search;
  }
});

// Live: one stream tells the counts of all pieces that the page shows, and is
// opened anew when a swap brings others and when the browser is back online.
(() => {
  const most = 100, wait = 15000; // pieces, those at the end of the page first; ms after a first call that failed
  let told = new Set();
  const shown = () => [...new Set([...document.querySelectorAll("[data-count]")].map((count) => count.dataset.count))].slice(-most);
  const open = () => {
    const live = document.getElementById("live"), fresh = live?.cloneNode();
    if (!live) return;
    fresh.removeAttribute("data-htmx-powered");
    htmx.process(live, true); // hangs up; the extension would call again as long as its element is there
    live.replaceWith(fresh);
    htmx.process(fresh);
  };
  const later = (event) => { if (event.detail.ctx?.sourceElement.id === "live") setTimeout(open, wait); };
  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement, request } = event.detail.ctx;
    if (sourceElement.id !== "live") return;
    told = new Set(shown());
    request.action = `/live?ids=${[...told].join()}`;
    if (!told.size) event.preventDefault();
  });
  document.addEventListener("htmx:after:swap", () => { if (!shown().every((id) => told.has(id))) open(); });
  document.addEventListener("htmx:error", later);
  document.addEventListener("htmx:response:error", later);
  addEventListener("online", open);
})();

// A piece's address: handed to the system's share sheet where there is one, else copied.
(() => {
  const canCopy = navigator.clipboard?.writeText, button = document.querySelector("[data-share]");
  if (!button || !(navigator.share || canCopy)) return;
  const url = () => document.querySelector("link[rel=canonical]")?.href ?? location.href.split("#")[0];
  if (!navigator.share) button.textContent = "Copy link";
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      if (navigator.share) return await navigator.share({ title: document.title, url: url() });
      await navigator.clipboard.writeText(url());
      button.textContent = button.dataset.shareDone;
      document.getElementById("announcer").textContent = button.dataset.shareDone;
    } catch { /* the person thought better of it, or the browser did: the address stands beside */ }
  });
})();
