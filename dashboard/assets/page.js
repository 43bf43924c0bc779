// A page whose server says nothing any more must not go on looking alive: the server counts its turns, one a
// second, and when the count stands still everything that was shown is marked as past.
"use strict";
const SILENT_MS = 15000;
let seen = "";
let heard = performance.now();

setInterval(() => {
  const root = document.documentElement;
  const news = document.querySelector(".news");
  const count = news === null ? "" : news.textContent;
  if (count !== seen) {
    seen = count;
    heard = performance.now();
    root.classList.remove("frozen");
  } else if (performance.now() - heard > SILENT_MS && !root.classList.contains("frozen")) {
    const clock = document.querySelector(".summary time");
    const since = document.querySelector(".frozen-time");
    if (clock !== null && since !== null) since.textContent = clock.textContent;
    root.classList.add("frozen");
  }
}, 1000);
