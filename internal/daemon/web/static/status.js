// Keeps the page up to date: fetches the live part every five seconds and updates only the changed nodes, so that focus,
// selected text and scroll position stay.
"use strict";

const every = 5000;
const live = document.getElementById("live");
const news = document.getElementById("news");

// states returns the displayed state of each mapping.
function states(root) {
  const found = new Map();
  for (const row of root.querySelectorAll("tr[data-mapping]")) found.set(row.dataset.mapping, row.dataset.state);
  return found;
}

// morph changes the children of one element to those of another, and keeps the nodes that are equal.
function morph(from, to) {
  const wanted = [...to.childNodes];
  wanted.forEach((node, i) => {
    const have = from.childNodes[i];
    if (!have) {
      from.append(node);
    } else if (have.nodeType !== node.nodeType || have.nodeName !== node.nodeName || have.id !== node.id) {
      have.replaceWith(node);
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      attributes(have, node);
      morph(have, node);
    } else if (have.data !== node.data) {
      have.data = node.data;
    }
  });
  while (from.childNodes.length > wanted.length) from.lastChild.remove();
}

function attributes(from, to) {
  // Keep the details that the reader has opened.
  for (const { name } of [...from.attributes]) if (name !== "open" && !to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
}

// announce makes screen readers read changes of state, and nothing else.
function announce(before, after) {
  const changes = [];
  for (const [mapping, state] of after) if (before.get(mapping) !== state) changes.push(`${mapping}: ${state}`);
  if (changes.length > 5) changes.splice(5, changes.length, `and ${changes.length - 5} more`);
  if (changes.length > 0) news.textContent = changes.join(", ");
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/status/live" + location.search, { cache: "no-store", signal: AbortSignal.timeout(every) });
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
    const before = states(live), after = states(fresh);
    morph(live, fresh);
    document.title = live.querySelector("header").dataset.title;
    announce(before, after);
  } catch {
    document.getElementById("stale").hidden = false;
  }
}

setInterval(refresh, every);
document.addEventListener("visibilitychange", refresh);
