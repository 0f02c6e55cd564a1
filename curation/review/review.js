"use strict";
// The reviewer's page. It has no words of its own: what it says is copied from the hidden texts of the page,
// and what it shows of a picture comes from the program as finished, escaped markup.
(() => {
  const sampling = document.body.hasAttribute("data-sampling");
  const at = (id) => document.getElementById(id);
  const stage = at("stage"), batch = at("batch"), why = at("why"), told = at("told");
  const keys = sampling ? { g: "good", b: "bad", u: "unsure" } : { a: "allow", d: "drop", u: "unsure" };
  let queue = [], place = 0, scope = "one", busy = false, asked = 0;
  const ahead = new Map();

  const say = (name, more) => {
    told.replaceChildren(...[...at("text-" + name).childNodes].map((node) => node.cloneNode(true)));
    if (more) told.append(" " + more);
  };
  const call = async (path, body) => {
    const options = body === undefined ? {} : {
      method: "POST", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-Kyodaku-Review": "1" },
    };
    const answer = await fetch(path, { cache: "no-store", redirect: "error", ...options });
    if (answer.status === 409) throw new Error("stale");
    if (!answer.ok) throw new Error("gone");
    return answer;
  };
  const failed = (error) => say(error.message === "stale" ? "stale" : "gone");

  const piece = (uid) => {
    if (!ahead.has(uid)) ahead.set(uid, call("case/" + uid).then((answer) => answer.text()));
    if (ahead.size > 12) ahead.delete(ahead.keys().next().value);
    return ahead.get(uid);
  };
  const waiting = (item) => item[2] === "open";
  const progress = () => {
    const open = queue.filter(waiting).length;
    const numbers = { open, done: queue.length - open, all: queue.length };
    const line = at("text-left").cloneNode(true);
    for (const half of line.querySelectorAll(".t")) {
      let left = [numbers.open, numbers.done, numbers.all];
      half.textContent = half.textContent.replace(/—/g, () => left.shift());
    }
    const now = queue[place] ? `${place + 1}/${queue.length} · ` : "";
    at("progress").replaceChildren(now, ...line.childNodes);
    if (queue[place]) {
      at("progress").append(" · ", ...[...at("text-state-" + queue[place][2]).childNodes].map((n) => n.cloneNode(true)));
    }
    return open;
  };
  const refresh = async () => { queue = (await (await call("queue")).json()).items; };

  const show = async () => {
    setScope("one");
    const turn = ++asked;
    if (!queue.length) {
      stage.replaceChildren(...[...at("text-empty").childNodes].map((node) => node.cloneNode(true)));
      progress();
      return;
    }
    place = Math.max(0, Math.min(place, queue.length - 1));
    progress();
    try {
      const markup = await piece(queue[place][0]);
      if (turn !== asked) return;
      stage.innerHTML = markup;
      const article = stage.firstElementChild;
      for (const button of document.querySelectorAll("button.allow")) {
        button.disabled = article.hasAttribute("data-blocked");
      }
      scrollTo(0, 0);
      const next = queue.slice(place + 1).find(waiting);
      if (next) piece(next[0]).catch(() => ahead.delete(next[0]));
    } catch (error) {
      if (queue[place]) ahead.delete(queue[place][0]);
      failed(error);
      if (error.message === "stale") { await refresh(); progress(); }
    }
  };
  const go = (step) => { place = Math.max(0, Math.min(place + step, queue.length - 1)); return show(); };
  const onward = () => {
    const next = queue.findIndex((item, index) => index > place && waiting(item));
    const first = queue.findIndex(waiting);
    if (next >= 0) place = next; else if (first >= 0) place = first;
    else say("finished");
    return show();
  };

  const setScope = (name) => {
    scope = name;
    batch.hidden = name === "one";
    if (name === "one") batch.replaceChildren();
    for (const button of document.querySelectorAll("[data-scope]")) {
      button.setAttribute("aria-pressed", String(button.dataset.scope === name));
    }
  };
  const widen = async (name) => {
    if (!queue[place] || sampling) return;
    setScope(name);
    if (name === "one") return;
    try {
      const markup = await (await call(`batch/${queue[place][0]}/${name}`)).text();
      if (scope !== name) return;
      batch.innerHTML = markup;
      batch.scrollIntoView({ block: "nearest" });
    } catch (error) { failed(error); setScope("one"); }
  };

  const items = () => {
    const shown = scope === "one"
      ? stage.querySelectorAll("article[data-uid]")
      : batch.querySelectorAll("input[data-uid]:checked");
    return [...shown].map((element) => ({ uid: element.dataset.uid, shown: element.dataset.shown }));
  };
  const tell = async (verdict) => {
    if (busy || !items().length) return;
    if (verdict === "allow" && scope === "one" && stage.querySelector("[data-blocked]")) return say("blocked");
    if (["allow", "drop", "bad"].includes(verdict) && !why.value.trim()) {
      say("why");
      why.focus();
      return;
    }
    busy = true;
    try {
      const body = { verdict, why: why.value.trim(), scope, items: items() };
      const answer = await (await call("say", body)).json();
      apply(answer.states);
      say(answer.left ? "some" : "kept");
      remember(why.value.trim());
      await onward();
    } catch (error) {
      failed(error);
      ahead.clear();
      if (error.message === "stale") { await refresh(); await show(); }
    } finally { busy = false; }
  };
  const apply = (states) => {
    for (const item of queue) if (item[0] in states) { item[2] = states[item[0]]; ahead.delete(item[0]); }
  };
  const undo = async () => {
    if (busy) return;
    busy = true;
    try {
      const answer = await (await call("undo", {})).json();
      const uids = Object.keys(answer.states);
      apply(answer.states);
      say(answer.undone ? "undone" : "nothing");
      const back = queue.findIndex((item) => uids.includes(item[0]));
      if (back >= 0) place = back;
      await show();
    } catch (error) { failed(error); } finally { busy = false; }
  };
  const remember = (text) => {
    const known = [...at("whys").options].some((option) => option.value === text);
    if (text && !known) at("whys").append(new Option(text, text));
  };

  for (const button of document.querySelectorAll("[data-verdict]")) {
    button.addEventListener("click", () => tell(button.dataset.verdict));
  }
  for (const button of document.querySelectorAll("[data-scope]")) {
    button.addEventListener("click", () => widen(button.dataset.scope));
  }
  const mask = () => document.body.classList.toggle("bare");
  const help = () => { if (at("help").open) at("help").close(); else at("help").showModal(); };
  at("do-back").addEventListener("click", () => go(-1));
  at("do-next").addEventListener("click", () => go(1));
  at("do-mask").addEventListener("click", mask);
  at("do-undo").addEventListener("click", undo);
  at("do-help").addEventListener("click", help);
  why.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" && !event.isComposing) || event.key === "Escape") { event.preventDefault(); why.blur(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target === why || event.target.matches("input[name=lang]")) return;
    if (at("help").open && event.key !== "?") return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const scopes = ["one", "cluster", "host"];
    const does = {
      ArrowLeft: () => go(-1), k: () => go(-1), ArrowRight: () => go(1), j: () => go(1),
      m: mask, z: undo, "?": help,
      r: () => { why.focus(); why.select(); },
      s: () => widen(scopes[(scopes.indexOf(scope) + 1) % 3]),
      l: () => {
        const other = at(at("lang-en").checked ? "lang-ja" : "lang-en");
        other.checked = true;
        other.dispatchEvent(new Event("change"));
      },
    }[key];
    if (keys[key]) { event.preventDefault(); tell(keys[key]); }
    else if (does) { event.preventDefault(); does(); }
  });

  refresh().then(() => { place = Math.max(0, queue.findIndex(waiting)); return show(); }).catch(failed);
})();
