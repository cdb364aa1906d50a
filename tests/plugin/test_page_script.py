"""The script of the page, run in Node.js with a small stand-in for the browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import airflow_provider_callapi.plugin

SCRIPT = Path(airflow_provider_callapi.plugin.__file__).parent / "static" / "page.js"
BROWSER = """
const answers = JSON.parse(process.argv[1]);
const timers = [], states = [], main = { children: [] };
let warning = null;
const document = {
  hidden: false, documentElement: { dataset: {} }, activeElement: null, addEventListener() {},
  body: { prepend(part) { warning = part; } },
  createElement: () => ({ setAttribute() {}, remove() { warning = null; } }),
  getElementById: (id) => ({ main, "in-progress": {}, "not-current": warning })[id] ?? null,
};
const window = {};
window.parent = window;
async function fetch() {
  const answer = answers.shift();
  if (answer === "down") throw new TypeError("NetworkError");
  return { ok: answer < 400, status: answer, text: async () => "" + answer };
}
class DOMParser {
  parseFromString(text) { return { getElementById: () => (text === "200" ? { children: [] } : null) }; }
}
const names = ["document", "window", "fetch", "setTimeout", "location", "DOMParser"];
const script = new Function(...names, require("fs").readFileSync(process.argv[2], "utf8"));
script(document, window, fetch, (step) => timers.push(step), { href: "x" }, DOMParser);
(async () => {
  while (answers.length) {
    await timers.shift()();
    states.push(warning !== null);
  }
  console.log(JSON.stringify({ states, text: warning && warning.textContent }));
})();
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
@pytest.mark.parametrize("failure", [401, 500, "down", 201])
def test_the_page_warns_that_it_is_not_current_after_two_failed_renewals(failure: int | str) -> None:
    """201 stands for a page of another kind, such as a login form."""
    answers = [200, failure, 200, failure, failure, failure, 200, failure, failure]

    run = subprocess.run(
        ["node", "-e", BROWSER, json.dumps(answers), str(SCRIPT)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    seen = json.loads(run.stdout)
    assert seen["states"] == [False, False, False, False, True, True, False, False, True]
    assert seen["text"].startswith("This page is not current: Airflow has not renewed it since ")
