// Renews the page while it is visible, and fits it into Airflow's own page. The page works without this script.
"use strict";

const SECONDS = 5;
const LONGEST_WAIT = 30;
const MOST_FAILURES = 1;
let failures = 0;
let renewedAt = new Date();
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
  const signal = AbortSignal.timeout(LONGEST_WAIT * 1000);
  const answer = await fetch(location.href, { credentials: "same-origin", signal });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
  const main = document.getElementById("main");
  if (!fresh) throw new Error("not the page of calls, but for example a login form");
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

// A person must not take old calls for the present ones, e.g. after the login has expired.
function showWhetherCurrent() {
  const shown = document.getElementById("not-current");
  if (failures <= MOST_FAILURES) {
    if (shown) shown.remove();
  } else if (!shown) {
    const warning = document.createElement("p");
    warning.id = "not-current";
    warning.className = "problem";
    warning.setAttribute("role", "alert");
    const since = renewedAt.toLocaleTimeString();
    warning.textContent = `This page is not current: Airflow has not renewed it since ${since}. Load the page again.`;
    document.body.prepend(warning);
  }
}

async function keepRenewing() {
  followTheme();
  if (!document.hidden && document.getElementById("in-progress")) {
    try {
      await renew();
      failures = 0;
      renewedAt = new Date();
    } catch {
      failures += 1;
    }
    showWhetherCurrent();
  }
  setTimeout(keepRenewing, SECONDS * 1000);
}
setTimeout(keepRenewing, SECONDS * 1000);
