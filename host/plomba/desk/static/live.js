"use strict";
// The page is whole without this script; with it, changes arrive by themselves.
const root = document.documentElement;
const stream = new EventSource("stream");
let wanted = "";
let busy = false;

stream.onerror = () => { root.dataset.link = "lost"; };
stream.onmessage = (event) => {
  root.dataset.link = "live";
  wanted = event.data;
  if (!busy) refresh();
};

async function refresh() {
  busy = true;
  try {
    let shown = document.getElementById("live").dataset.revision;
    while (shown !== wanted) {
      shown = wanted;
      const answer = await fetch("live" + location.search);
      if (!answer.ok) throw answer;
      show(await answer.text());
    }
  } catch (error) {
    root.dataset.link = error.status === 503 ? "failing" : "lost";
  }
  busy = false;
}

function show(html) {
  const old = document.getElementById("live");
  const marks = new Map(Array.from(old.querySelectorAll("[data-order]"), (row) => [row.dataset.order, row.dataset.mark]));
  const now = new DOMParser().parseFromString(html, "text/html").getElementById("live");
  for (const row of now.querySelectorAll("[data-order]")) {
    if (marks.get(row.dataset.order) !== row.dataset.mark) row.classList.add("fresh");
  }
  old.replaceWith(now);
}
