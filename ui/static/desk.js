// Forms of the settings. They are sent while the page stays; the answer says what to tell, where to go, what to show, or
// that a proof of who it is is needed first. Then that is asked for in place and the form is sent again as it is.
(() => {
  const byId = (id) => document.getElementById(id);

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-send]");
    if (!form) return;
    event.preventDefault();
    if (!form.hasAttribute("aria-busy")) start(form);
  });

  async function start(form) {
    const question = form.dataset.sure;
    if (question && !(await isSure(question, form.dataset.sureVerb))) return;
    await send(form);
  }

  async function send(form) {
    forget(form);
    const answer = await post(form);
    if (answer.form_token) byId("form-token").value = answer.form_token;
    if (answer.login) return location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
    if (answer.step_up) return (await isProven(answer.step_up)) ? send(form) : undefined;
    if (answer.problem) return tell(form, answer);
    if (answer.go) return location.assign(answer.go);
    if (form.hasAttribute("data-clears")) {
      form.reset();
      form.closest("details")?.removeAttribute("open");
    }
    if (answer.sheet) show(answer.sheet);
    else if (byId("sheet").contains(form)) byId("sheet").close();
    say(answer.says ?? "");
  }

  async function post(form) {
    const body = new URLSearchParams(new FormData(form));
    body.set("form_token", byId("form-token").value);
    form.setAttribute("aria-busy", "true");
    const buttons = [...form.querySelectorAll("button[type=submit]")];
    for (const button of buttons) button.disabled = true;
    try {
      const response = await fetch(form.getAttribute("action"), { method: "POST", body, redirect: "error" });
      return response.status === 401 ? { login: true } : await response.json();
    } catch {
      return { problem: byId("says").dataset.unreachable };
    } finally {
      form.removeAttribute("aria-busy");
      for (const button of buttons) button.disabled = false;
    }
  }

  // What is wrong stands on top of the form and at its fields; what was typed stays.
  function tell(form, answer) {
    if (!form.querySelector("input:not([type=hidden]), select, textarea")) return say(answer.problem, true);
    const fields = Object.entries(answer.fields ?? {}).map(([name, words]) => [fieldOf(form, name), words]);
    const placed = fields.filter(([field, words]) => field && mark(field, words));
    if (placed.length !== 1 || placed[0][1] !== answer.problem || fields.length !== placed.length) {
      const top = document.createElement("p");
      top.className = "problem";
      top.setAttribute("role", "alert");
      top.textContent = answer.problem;
      const title = form.querySelector("h2");
      if (title) title.after(top);
      else form.prepend(top);
    }
    const first = placed[0]?.[0];
    (first?.matches("fieldset") ? first.querySelector("input:checked, input") : first)?.focus();
  }

  const fieldOf = (form, name) =>
    form.querySelector(`fieldset[data-field="${name}"]`) ?? form.querySelector(`[name="${name}"]:not([type=hidden])`);

  function mark(field, words) {
    const small = document.createElement("small");
    small.className = "field-problem";
    small.id = `problem-${field.name || field.dataset.field}`;
    small.setAttribute("role", "alert");
    small.textContent = words;
    field.dataset.hint = field.getAttribute("aria-describedby") ?? "";
    field.setAttribute("aria-describedby", `${field.dataset.hint} ${small.id}`.trim());
    if (!field.matches("fieldset")) field.setAttribute("aria-invalid", "true");
    (field.closest(".field-group") ?? field).append(small);
    return true;
  }

  function forget(form) {
    form.querySelectorAll(".problem, .field-problem").forEach((element) => element.remove());
    form.querySelectorAll("[data-hint]").forEach((field) => {
      field.removeAttribute("aria-invalid");
      if (field.dataset.hint) field.setAttribute("aria-describedby", field.dataset.hint);
      else field.removeAttribute("aria-describedby");
      delete field.dataset.hint;
    });
    say("");
  }

  function say(words, isProblem = false) {
    const says = byId("says");
    says.className = isProblem ? "problem" : "note";
    says.setAttribute("role", isProblem ? "alert" : "status");
    says.textContent = words;
    if (words) says.scrollIntoView({ block: "nearest" });
  }

  // A dialog that is closed without its button means no.
  function opened(dialog) {
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
  }

  async function isSure(question, verb) {
    byId("sure-words").textContent = question;
    byId("sure-verb").textContent = verb;
    byId("sure-verb").value = "yes";
    return (await opened(byId("sure"))) === "yes";
  }

  async function isProven({ code }) {
    const dialog = byId("step-up");
    const form = dialog.querySelector("form");
    const place = byId("step-up-code");
    place.hidden = !code;
    place.querySelector("input").disabled = !code;
    forget(form);
    form.reset();
    form.onsubmit = async (event) => {
      event.preventDefault();
      if (form.hasAttribute("aria-busy")) return;
      forget(form);
      const answer = await post(form);
      if (answer.form_token) byId("form-token").value = answer.form_token;
      if (answer.login) return location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
      if (answer.problem) return tell(form, answer);
      dialog.close("yes");
    };
    const proven = (await opened(dialog)) === "yes";
    form.reset();
    return proven;
  }

  function show(markup) {
    const sheet = byId("sheet");
    sheet.innerHTML = markup;
    if (!sheet.open) {
      sheet.showModal();
      // What was shown once is gone when it is closed.
      sheet.addEventListener("close", () => sheet.replaceChildren(), { once: true });
    }
    (sheet.querySelector("input:not([type=hidden])") ?? sheet.querySelector("button"))?.focus();
  }

  // What is shown once is not closed by a slip.
  document.addEventListener(
    "cancel",
    (event) => event.target.querySelector("[data-copies]") && event.preventDefault(),
    true,
  );

  document.addEventListener("click", async (event) => {
    const end = event.target.closest("[data-ends]");
    if (end) end.closest("dialog").close();

    const copy = event.target.closest("[data-copies]");
    if (copy) {
      await copied(textOf(copy.dataset.copies), byId(copy.dataset.copies));
      copy.querySelector("span").textContent = copy.dataset.copied;
    }

    const download = event.target.closest("[data-downloads]");
    if (download) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([textOf(download.dataset.downloads) + "\n"], { type: "text/plain" }));
      link.download = download.dataset.file;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }
  });

  function textOf(id) {
    const lines = [...byId(id).querySelectorAll("li")].map((line) => line.textContent);
    return lines.length ? lines.join("\n") : byId(id).textContent;
  }

  // Without https a browser has no clipboard for us: then the text is selected and copied the old way.
  async function copied(text, element) {
    if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
    getSelection().selectAllChildren(element);
    document.execCommand("copy");
  }

  // What a filter has hidden keeps its tick.
  document.addEventListener("click", (event) => {
    const ticks = event.target.closest("[data-ticks]");
    if (!ticks) return;
    for (const label of ticks.closest("fieldset").querySelectorAll(".boxes label:not([hidden])")) {
      const box = label.querySelector("input");
      if (!box.disabled) box.checked = ticks.dataset.ticks === "all";
    }
  });

  document.addEventListener("input", (event) => {
    const filter = event.target.closest("[data-narrows]");
    if (!filter) return;
    const wanted = filter.value.trim().toLowerCase();
    for (const label of filter.closest("fieldset").querySelectorAll(".boxes label")) {
      label.hidden = !label.textContent.toLowerCase().includes(wanted);
    }
  });
})();
