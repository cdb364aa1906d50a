// Renews the page while it is visible, and fits it into Airflow's own page. The page works without this script.
"use strict";

const SECONDS = 5;
const framed = window.parent !== window;

function followTheme() {
  if (!framed) return;
  const airflow = window.parent.document.documentElement;
  const dark = airflow.classList.contains("dark") || airflow.dataset.theme === "dark";
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

// Airflow's frame forbids its content to open pages outside the frame, so Airflow's own page opens them.
function openOutside(event) {
  const link = event.target.closest("a[target=_top]");
  if (!framed || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const outside = window.parent.document.createElement("a");
  outside.href = link.href;
  outside.click();
}

async function renew() {
  followTheme();
  if (document.hidden || !document.getElementById("in-progress")) return;
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
  const main = document.getElementById("main");
  if (!fresh) return;
  const focused = document.activeElement && document.activeElement.id;
  if (fresh.children.length !== main.children.length) main.replaceChildren(...fresh.childNodes);
  // An unchanged part stays, so that a screen reader reads a status only when it changes.
  [...main.children].forEach((part, place) => {
    const newer = fresh.children[place];
    if (newer && newer.outerHTML !== part.outerHTML) part.replaceWith(newer.cloneNode(true));
  });
  const again = focused && document.getElementById(focused);
  if (again) again.focus({ preventScroll: true });
}

document.addEventListener("click", openOutside);
followTheme();

async function keepRenewing() {
  await renew().catch(() => {});
  setTimeout(keepRenewing, SECONDS * 1000);
}
setTimeout(keepRenewing, SECONDS * 1000);
