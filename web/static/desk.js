"use strict";
// Times in the reader's zone, and what is left until a promise is due, each second. The server
// wrote both already, in the promise's own zone: without this the pages say the same, standing still.
(() => {
  const lang = document.documentElement.lang || "zh-CN";
  const zh = lang.startsWith("zh");
  const SOON = 3600;
  const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const two = (n) => String(n).padStart(2, "0");

  // The same words as `instant` in domain/instants.py.
  function written(at) {
    const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
    const [year, month, day] = [at.getFullYear(), at.getMonth(), at.getDate()];
    if (zh) return `${year}年${month + 1}月${day}日（周${"日一二三四五六"[at.getDay()]}）${time}`;
    return `${DAYS[at.getDay()]} ${day} ${MONTHS[month]} ${year} ${time}`;
  }

  // The same words as `remaining` in pages.py.
  function remaining(seconds) {
    const late = seconds < 0;
    const whole = Math.floor(Math.abs(seconds));
    const days = Math.floor(whole / 86400);
    const hours = Math.floor(whole / 3600) % 24;
    const minutes = Math.floor(whole / 60) % 60;
    let span;
    if (days) span = zh ? `${days} 天 ${hours} 小时` : `${days} d ${hours} h`;
    else if (hours) span = zh ? `${hours} 小时 ${two(minutes)} 分` : `${hours} h ${two(minutes)} min`;
    else span = zh ? `${minutes} 分 ${two(whole % 60)} 秒` : `${minutes} min ${two(whole % 60)} s`;
    if (late) return zh ? `已逾期 ${span}` : `overdue by ${span}`;
    return zh ? `还剩 ${span}` : `${span} left`;
  }

  function show(within) {
    for (const each of within.querySelectorAll("time[datetime]:not([data-shown])")) {
      const at = new Date(each.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      each.textContent = written(at);
      each.dataset.shown = "";
    }
  }

  function count() {
    const now = Date.now();
    for (const each of document.querySelectorAll("[data-due]")) {
      const seconds = (Date.parse(each.dataset.due) - now) / 1000;
      if (Number.isNaN(seconds)) continue;
      const text = remaining(seconds);
      if (each.textContent !== text) each.textContent = text;
      each.classList.toggle("late", seconds < 0);
      each.classList.toggle("soon", seconds >= 0 && seconds < SOON);
    }
  }

  function all() {
    show(document);
    count();
  }

  document.addEventListener("DOMContentLoaded", all);
  document.addEventListener("htmx:load", all);
  document.addEventListener("htmx:afterSwap", all);
  document.addEventListener("visibilitychange", count);
  if (document.readyState !== "loading") all();
  setInterval(count, 1000);

  // A list that looks again by itself waits while somebody is writing in it.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const list = event.target;
    if (list.matches("[data-gentle]") && list.querySelector("details[open]")) event.preventDefault();
  });
  const REFUSED = new Set([409, 422]);
  // A part of a page that says why something was refused is shown like any other.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, boosted } = event.detail;
    if (xhr.getResponseHeader("X-Part") || (boosted && REFUSED.has(xhr.status))) event.detail.shouldSwap = true;
  });

  // Files are sent as soon as they are chosen, one after the other, each with how far it is and why
  // it was not taken; whatever is written elsewhere on the page stays. Without this the button does.
  const START = 2;
  function prepare(form) {
    form.classList.add("live");
    let last = Promise.resolve();
    for (const input of form.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => {
        for (const file of [...input.files]) {
          const row = document.createElement("li");
          row.append(file.name, " ", Object.assign(document.createElement("progress"), { max: 100, value: START }));
          form.querySelector("[data-sending]").append(row);
          last = last.then(() => send(form, file, row));
        }
        input.value = "";
      });
    }
  }

  function refuse(row, name, why) {
    const said = Object.assign(document.createElement("span"), { className: "error" });
    said.textContent = `${name}${zh ? "：" : ": "}${why}`;
    row.replaceChildren(said);
  }

  function send(form, file, row) {
    if (file.size > Number(form.dataset.largest)) {
      refuse(row, file.name, form.dataset.tooLarge);
      return null;
    }
    const body = new FormData();
    for (const each of form.querySelectorAll("input[type=hidden], input[type=checkbox]:checked")) body.append(each.name, each.value);
    body.append("files", file);
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("HX-Request", "true");
      request.upload.addEventListener("progress", (event) => {
        const bar = row.querySelector("progress");
        if (bar && event.lengthComputable) bar.value = Math.max(START, (100 * event.loaded) / event.total);
      });
      request.addEventListener("loadend", () => {
        if (request.getResponseHeader("X-Part")) arrived(form, row, request.responseText);
        else refuse(row, file.name, form.dataset.failed);
        done();
      });
      request.send(body);
    });
  }

  function arrived(form, row, text) {
    const part = document.createElement("template");
    part.innerHTML = text; // our own page's, escaped there
    const now = form.closest("#attachments").querySelector("[data-album]");
    now.replaceChildren(...part.content.querySelector("[data-album]").childNodes);
    const left = part.content.querySelector("[data-left] > li");
    if (left) row.replaceWith(left);
    else row.remove();
  }

  const prepareAll = () => document.querySelectorAll("form[data-uploads]:not(.live)").forEach(prepare);
  document.addEventListener("htmx:load", prepareAll);
  prepareAll();
})();
