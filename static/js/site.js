// Polish only: every page works without this file.

// Say that the booking is on its way, and swallow a second press. The server does not rely on this.
function submitOnce(form) {
  const button = form.querySelector("button[type=submit]");
  const status = form.querySelector("[data-busy-status]");
  const label = button.textContent;
  const show = (words, more) => {
    button.textContent = words;
    if (status) status.textContent = more;
  };
  form.addEventListener("submit", (event) => {
    if (form.dataset.submitted) {
      event.preventDefault();
      return;
    }
    form.dataset.submitted = "true";
    button.setAttribute("aria-disabled", "true");
    show(form.dataset.busyLabel, form.dataset.busyText);
  });
  // The page may come back from the browser's cache just as it was left.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    delete form.dataset.submitted;
    button.removeAttribute("aria-disabled");
    show(label, "");
  });
}

// Narrow a long list while something is typed: numbers of flats, or words of a house.
function filterList(input) {
  const list = document.getElementById(input.dataset.filter);
  const status = document.getElementById(input.dataset.filterStatus);
  if (!list) return;
  const isWords = "words" in input.dataset;
  const rows = Array.from(list.querySelectorAll("li"), (row) => [
    row,
    isWords ? plain(row.textContent) : skeleton(row.querySelector("button").value),
  ]);

  function narrow() {
    const fits = isWords ? hasWords(input.value) : mayMean(input.value);
    const found = rows.filter(([, text]) => fits(text)).length;
    // Where nothing fits, the list stays: the server may still understand what was typed.
    for (const [row, text] of rows) row.hidden = found > 0 && !fits(text);
    for (const group of list.querySelectorAll("div")) group.hidden = !group.querySelector("li:not([hidden])");
    const isTyped = input.value.trim() !== "";
    status.textContent = isTyped ? (found ? `${status.dataset.text} ${found}` : status.dataset.none) : "";
  }
  input.closest(".field").hidden = false;
  input.addEventListener("input", narrow);
}

const KIND = /^(?:(?:квартира|кв|машино-?место|м\/м|мм|место|парковка|кладовая|кладовка|помещение|пом)(?:[.\s№#]+|(?=\d))|[№#]\s*)/;
const isDigit = (letter) => letter >= "0" && letter <= "9";

// Numbers as booking/flat_numbers.py reads them; a test compares the two. Without lookbehind, which
// stops the script on an iPhone of before 2023.
function folded(number) {
  return number
    .replace(/[\u00ad\u200b-\u200d\u2060\ufeff]/g, "")
    .toLowerCase()
    .trim()
    .replace(/[‐‑‒–—−﹘﹣－-]+/g, "-")
    .replace(KIND, "")
    .normalize("NFKC")
    .replace(/\s+/g, (gap, at, all) => (isDigit(all[at - 1]) && isDigit(all[at + gap.length]) ? " " : ""))
    .replace(/[abcehkmoptxy]/g, (letter) => "авсенкмортху"["abcehkmoptxy".indexOf(letter)]);
}

function skeleton(number) {
  return folded(number)
    .replace(/[\s.,\/\\-]+/g, "-")
    .replace(/^-/, "")
    .replace(/-$/, "")
    .replace(/-/g, (dash, at, all) => (isDigit(all[at - 1]) === isDigit(all[at + 1]) ? dash : ""));
}

// A test of a number's skeleton for what was typed.
function mayMean(typed) {
  const [wanted, bare] = [skeleton(typed), skeleton(typed).replace(/-/g, "")];
  const isLoose = !/[.,\/\\-]/.test(folded(typed));
  return (whole) => whole.includes(wanted) || (isLoose && whole.replace(/-/g, "").includes(bare));
}

const plain = (text) => text.toLowerCase().replace(/ё/g, "е").replace(/[^\p{L}\p{N}]+/gu, " ").trim();

// A test of a text for all words that were typed, in any order.
function hasWords(typed) {
  const words = plain(typed).split(" ");
  return (text) => words.every((word) => text.includes(word));
}

// Look for news of a booking in doubt, and show the page anew only when there are some: a page that
// reloads by the clock takes the place away from whoever reads it with a screen reader.
function watchForNews(shown) {
  setInterval(async () => {
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const news = page.querySelector("[data-state]");
    if (news && news.dataset.state !== shown.dataset.state) location.reload();
  }, shown.dataset.refresh * 1000);
}

// Ask for the days that were not checked in time, and put them in their places. The others stay as
// they are: one of them may be about to be pressed.
async function fillInDays(form) {
  const status = document.getElementById(form.dataset.status);
  const list = form.querySelector(".days");
  for (let tries = 0; tries < DAYS_TRIES && isUnchecked(list); tries++) {
    const reply = await fetch(daysAddress(form)).catch(() => null);
    if (!reply?.ok) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    putDays(list, page.querySelector(".days"));
    if (!isUnchecked(list)) status.textContent = status.dataset.text;
    await new Promise((done) => setTimeout(done, DAYS_PAUSE));
  }
}

const [DAYS_TRIES, DAYS_PAUSE] = [5, 1000]; // milliseconds
const isUnchecked = (node) => node.querySelector(".day--unknown") !== null;
const daysIn = (list) => Array.from(list.querySelectorAll(":scope > :not(.times)"));

function daysAddress(form) {
  const answers = new URLSearchParams(new FormData(form));
  // The day that is open stays so, even if an earlier one turns out to be free.
  const opened = form.dataset.opened || form.querySelector("button[aria-current]")?.value;
  if (opened) answers.set("date", opened);
  return `${form.dataset.days}?${answers}`;
}

function putDays(list, checked) {
  const days = daysIn(checked);
  const times = checked.querySelector(".times");
  const place = Array.from(checked.children).indexOf(times);
  daysIn(list).forEach((old, place) => {
    const day = days[place];
    if (!isUnchecked(old) || !day || isUnchecked(day)) return;
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(day);
    if (hadFocus) day.querySelector("button")?.focus();
    if (!day.querySelector("[aria-current]")) return;
    list.querySelector(".times")?.remove();
    list.insertBefore(times, list.children[place]);
  });
}

// Buttons for what only some browsers can do.
function offer(selector, can, press) {
  for (const button of document.querySelectorAll(selector)) {
    button.hidden = !can;
    button.addEventListener("click", () => press(button));
  }
}

async function copyLink(button) {
  await navigator.clipboard.writeText(button.value);
  document.querySelector("[data-copied]").textContent = button.dataset.done;
}
// Rejects when the reader thinks better of it.
const shareLink = (button) => navigator.share({ title: document.title, url: button.value }).catch(() => null);

// Keep a typed phone for this tab until it has booked: on the way back, and to mend it.
function keepTyped(input) {
  if (!input.value) input.value = kept?.getItem(input.name) ?? "";
  input.addEventListener("input", () => kept?.setItem(input.name, input.value));
}
let kept = null;
try { kept = sessionStorage; } catch { /* blocked, with the cookies */ }
if (document.querySelector("[data-state=expected]")) kept?.removeItem("phone");

// Say by how much the reader's clock differs from the house's, at the moment that the page is about.
function compareClocks(note) {
  const { houseClock, offsetMinutes, less, more } = note.dataset;
  const ahead = -new Date(houseClock).getTimezoneOffset() - offsetMinutes;
  if (!ahead) return;
  const minutes = Math.abs(ahead);
  const difference = [count(Math.floor(minutes / 60), "hour"), count(minutes % 60, "minute")];
  note.textContent = ` ${(ahead < 0 ? less : more).replace("{difference}", difference.join(" ").trim())}`;
  note.parentElement.hidden = false;
}

function count(number, unit) {
  const style = { style: "unit", unit, unitDisplay: "long" };
  return number ? number.toLocaleString(document.documentElement.lang, style) : "";
}

// Browsers leave it out where the address names a place of the page, which they go to late.
window.addEventListener("load", () => document.querySelector("[autofocus]")?.focus());
document.querySelectorAll("form[data-submit-once]").forEach(submitOnce);
document.querySelectorAll("input[data-filter]").forEach(filterList);
document.querySelectorAll("[data-refresh]").forEach(watchForNews);
document.querySelectorAll("form[data-days]").forEach(fillInDays);
offer("[data-print]", true, () => window.print());
offer("[data-copy]", navigator.clipboard, copyLink);
offer("[data-share]", navigator.share, shareLink);
document.querySelectorAll("form[data-submit-once] input[type=tel]").forEach(keepTyped);
// Last, since browsers of before 2020 know no units.
document.querySelectorAll("[data-house-clock]").forEach(compareClocks);
