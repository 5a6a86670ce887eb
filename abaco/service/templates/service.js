// What the pages cannot do without a script: sort and filter tables, show the progress of an upload, and tell the
// value under the pointer at once. Everything else works without it.
"use strict";

const LIVE_MS = 2000;
const WORDS = JSON.parse(document.body.dataset.words);

function phrase(text) {
  return WORDS[text] ?? text; // in the language of the page
}

// Tables: each heading sorts, and a field above a long table filters.

const MONTHS = phrase("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split(" ");

function key(cell) {
  const text = (cell?.innerText ?? "").trim();
  const day = /^(\d{1,2})\s(?:de\s)?(\w{3})\w*\s(?:de\s)?(\d{4})(?:, (\d\d):(\d\d))?/.exec(text);
  if (day && MONTHS.includes(day[2])) return Date.UTC(day[3], MONTHS.indexOf(day[2]), day[1], day[4] ?? 0, day[5] ?? 0);
  const sized = /^([\d.,]+)\s(B|kB|MB|GB)$/.exec(text);
  if (sized) return parseFloat(sized[1]) * 1000 ** ["B", "kB", "MB", "GB"].indexOf(sized[2]);
  const number = /(?:^|\s)([-−+]?\d[\d,]*(?:\.\d+)?)(?=\s|$)/.exec(text.replaceAll(",", ""));
  return cell?.classList.contains("n") ? (number ? parseFloat(number[1].replace("−", "-")) : -Infinity) : text.toLowerCase();
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one < other ? -1 : one > other ? 1 : 0;
  return String(one).localeCompare(String(other), undefined, { numeric: true });
}

function sort(table, head) {
  const way = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", way);
  const place = head.cellIndex, sign = way === "ascending" ? 1 : -1, body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [key(row.cells[place]), row]);
  rows.sort((one, other) => sign * compare(one[0], other[0]));
  body.append(...rows.map(([, row]) => row));
}

function addTools(table) {
  const rows = table.tBodies[0].rows;
  if (rows.length < 3 || table.closest(".runbook")) return;
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  }
  if (rows.length < 8) return;
  const label = document.createElement("label"), field = document.createElement("input");
  label.className = "tools";
  field.type = "search";
  field.placeholder = phrase("Filter the rows");
  field.setAttribute("aria-label", `${phrase("Filter the rows")}: ${table.caption.innerText}`);
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.innerText.toLowerCase().includes(wanted) && !row.textContent.toLowerCase().includes(wanted);
  });
  label.append(field);
  table.closest(".scroll").before(label);
}

// Charts: the title of the mark that is nearest to the pointer.

function addTip(box) {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  box.append(tip);
  const tell = (event) => {
    let best = null, least = Infinity;
    for (const title of box.querySelectorAll("svg title")) {
      const mark = title.parentNode.getBoundingClientRect();
      const away = Math.abs(mark.x + mark.width / 2 - event.clientX);
      if (mark.width && away < least) [best, least] = [{ title, mark }, away];
    }
    tip.hidden = !best;
    if (!best) return;
    tip.textContent = best.title.textContent;
    const edge = box.getBoundingClientRect(), x = best.mark.x + best.mark.width / 2 - edge.x;
    tip.style.left = `${Math.max(0, Math.min(x - tip.offsetWidth / 2, edge.width - tip.offsetWidth))}px`;
    tip.style.top = `${best.mark.y - edge.y - tip.offsetHeight - 6}px`;
  };
  box.addEventListener("pointermove", tell);
  box.addEventListener("pointerdown", tell);
  box.addEventListener("pointerleave", () => { tip.hidden = true; });
}

// Uploads: progress, and a way to break one off.

function addProgress(form) {
  const box = form.querySelector(".progress"), bar = box.querySelector("progress"), said = box.querySelector("output");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    document.querySelector("#live:not([data-live]) .job")?.remove(); // what came of the input before
    const size = [...form.elements.files.files].reduce((sum, file) => sum + file.size, 0);
    box.hidden = false;
    if (size > Number(form.dataset.max)) {
      const told = phrase("These files have {size} MB, more than the {most} MB that are taken.");
      said.textContent = told.replace("{size}", Math.ceil(size / 1e6)).replace("{most}", form.dataset.max / 1e6);
      return;
    }
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (step) => {
      bar.value = step.total ? (100 * step.loaded) / step.total : 0;
      said.textContent = `${Math.floor(bar.value)} %`;
    });
    request.addEventListener("load", () => {
      if (request.status === 200) return location.assign(request.responseURL);
      const answer = new DOMParser().parseFromString(request.responseText, "text/html");
      said.textContent = answer.querySelector(".alarm")?.textContent ?? `${phrase("The upload failed")}: ${request.status}`;
    });
    request.addEventListener("error", () => { said.textContent = phrase("The connection broke: send it again."); });
    request.addEventListener("abort", () => { said.textContent = phrase("Cancelled; nothing of it is kept."); bar.value = 0; });
    box.querySelector("button").onclick = () => request.abort();
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
}

// A run at work: its part of the page is asked for again until it has ended.

async function follow() {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const fresh = page.getElementById(live.id);
    if (fresh && fresh.outerHTML !== live.outerHTML) live.replaceWith(fresh);
  } catch (error) {
    console.warn(error); // the service is being started again, perhaps
  }
  setTimeout(follow, LIVE_MS);
}

document.querySelectorAll("table.figures").forEach(addTools);
document.querySelectorAll(".hover").forEach(addTip);
document.querySelectorAll("form[data-upload]").forEach(addProgress);
setTimeout(follow, LIVE_MS);
